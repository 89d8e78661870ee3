list(APPEND PROBE_SOURCES
  odoo/socket_table.cpp odoo/process.cpp odoo/master.cpp odoo/worker_set.cpp odoo/http_reply.cpp)
