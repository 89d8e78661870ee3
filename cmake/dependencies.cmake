# Every third-party library, once. All come from Debian bookworm; `./dev setup` names the packages.
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(CURL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(spdlog REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(date REQUIRED)  # time zones
pkg_check_modules(PQXX REQUIRED IMPORTED_TARGET libpqxx)
pkg_check_modules(PQ REQUIRED IMPORTED_TARGET libpq)
pkg_check_modules(HIREDIS REQUIRED IMPORTED_TARGET hiredis)
pkg_check_modules(YAMLCPP REQUIRED IMPORTED_TARGET yaml-cpp)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
find_package(Snappy REQUIRED)
find_package(ZLIB REQUIRED)
find_package(date REQUIRED)
find_path(PROTOZERO_DIR protozero/pbf_reader.hpp REQUIRED)  # headers alone
find_path(BOOST_ASIO_DIR boost/asio.hpp REQUIRED)

# Asio and Beast are compiled once (common/async/asio_impl.cpp), not in every file that includes them.
add_library(ward_asio INTERFACE)
target_compile_definitions(ward_asio INTERFACE BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
                           BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_TS_EXECUTORS)
target_link_libraries(ward_asio INTERFACE Threads::Threads)
