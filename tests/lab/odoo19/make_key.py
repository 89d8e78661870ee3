# Fed to `odoo shell`: an internal user with nothing but base.group_user, and a fresh API key. Prints one line: WARD-KEY uid key.
import datetime
import secrets

users = env["res.users"].with_context(no_reset_password=True)  # noqa: F821  (env is the shell's)
user = users.search([("login", "=", "ward")], limit=1)
if not user:
    user = users.create({"name": "Ward", "login": "ward", "password": secrets.token_hex(12),
                         "group_ids": [(6, 0, [env.ref("base.group_user").id])]})  # noqa: F821
env["res.users.apikeys"].sudo().search([("user_id", "=", user.id)])._remove()  # noqa: F821
# Odoo refuses keys that live longer than 90 days.
expiry = datetime.datetime.now() + datetime.timedelta(days=89)
key = env["res.users.apikeys"].with_user(user)._generate("rpc", "ward probe", expiry)  # noqa: F821
env.cr.commit()  # noqa: F821
print("WARD-KEY", user.id, key)
