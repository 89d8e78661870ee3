set(WARD_SANITIZE "" CACHE STRING "Sanitizers for this build: 'address,undefined' or 'thread'")
option(WARD_FUZZ "Build the libFuzzer targets (Clang only)" OFF)
if(WARD_SANITIZE)
  add_compile_options(-fsanitize=${WARD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${WARD_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND WARD_SANITIZE MATCHES "undefined")
    # Clang 14 puts data of this check before a function, which the parts of a coroutine cannot point at: "Cannot
    # represent a difference across sections".
    add_compile_options(-fno-sanitize=function)
  endif()
endif()
if(WARD_SANITIZE STREQUAL "thread")
  # The thread sanitizer does not understand bare fences, and GCC says so as an error. Asio's fences stand beside its locks.
  add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
endif()
if(WARD_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
