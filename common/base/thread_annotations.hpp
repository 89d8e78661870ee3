#pragma once

/// Clang's thread-safety attributes; nothing under GCC. They name the mutex that guards a field.
#if defined(__clang__)
#define WARD_GUARDED_BY(mutex) __attribute__((guarded_by(mutex)))
#else
#define WARD_GUARDED_BY(mutex)
#endif
