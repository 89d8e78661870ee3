# Warnings are errors in our own code only; third-party headers are SYSTEM.
add_library(ward_warnings INTERFACE)
target_compile_options(ward_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports false dangling and maybe-uninitialised values inside coroutine frames and std::optional, and takes
  # Asio's own operator new of a frame for a foreign one once it inlines (-O1 and up).
  target_compile_options(ward_warnings INTERFACE -Wno-maybe-uninitialized -Wno-dangling-pointer -Wno-mismatched-new-delete)
  # At -O2 it also warns inside inlined std::vector and std::string code (GCC PR 105329, 105651 and kin).
  target_compile_options(ward_warnings INTERFACE -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread -Wno-restrict)
endif()
