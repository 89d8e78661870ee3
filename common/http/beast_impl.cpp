// The one place where Beast's separately compiled parts are instantiated (cmake/dependencies.cmake).
#include <boost/beast/src.hpp>
