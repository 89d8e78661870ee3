{"name": "Ward lab", "version": "1.0", "depends": ["web", "rpc"], "license": "LGPL-3", "installable": True}
