# Half of a cold build is tests, and a third of a test's compilation is reading GoogleTest's, Asio's and the standard library's
# headers. Presets test and asan read them once. The others do not: those show that each file includes what it uses, and
# clang-tidy cannot read what GCC precompiled. Rooms gain little from it (0.1 s of 3), so only tests/ includes this file.
option(WARD_PRECOMPILE "Precompile the headers that the tests share (GCC)" OFF)
if(WARD_PRECOMPILE)
  file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/precompiled.cpp CONTENT "int main() {}\n")
  add_executable(ward_precompiled ${CMAKE_CURRENT_BINARY_DIR}/precompiled.cpp)
  target_precompile_headers(ward_precompiled PRIVATE <gmock/gmock.h> <gtest/gtest.h>
    <boost/asio/co_spawn.hpp> <boost/asio/io_context.hpp> <boost/asio/ip/tcp.hpp> <boost/asio/steady_timer.hpp>
    <boost/asio/use_awaitable.hpp> <boost/asio/use_future.hpp> <filesystem> <fstream> <regex> <thread> <tl/expected.hpp>)
  # A precompiled header fits only where definitions and options are the same: each test has these, whatever it uses.
  add_library(ward_precompiled_tests INTERFACE)
  target_link_libraries(ward_precompiled_tests INTERFACE ward_warnings ward_common_async GTest::gmock)
  target_compile_definitions(ward_precompiled_tests INTERFACE _FILE_OFFSET_BITS=64)
  target_compile_options(ward_precompiled_tests INTERFACE -pthread -fpch-preprocess)
  target_link_libraries(ward_precompiled PRIVATE ward_precompiled_tests)
endif()
