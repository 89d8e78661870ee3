# More files of the probes in this folder; postgres.cpp and redis.cpp come from builtin.def.
list(APPEND PROBE_SOURCES data/label_guard.cpp data/reading_set.cpp)
list(APPEND PROBE_SOURCES data/postgres_activity.cpp data/postgres_failure.cpp data/postgres_json.cpp data/postgres_link.cpp
  data/postgres_metrics.cpp data/postgres_options.cpp data/postgres_replication.cpp data/postgres_session.cpp
  data/postgres_sql.cpp data/postgres_statements.cpp data/postgres_storage.cpp data/postgres_views.cpp)
list(APPEND PROBE_SOURCES data/redis_connection.cpp data/redis_failure.cpp data/redis_info.cpp data/redis_options.cpp
  data/redis_reply.cpp)
