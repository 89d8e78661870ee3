#pragma once
#include <cstdint>
#include <memory>

#include "probes/odoo/master.hpp"

namespace ward::probes {

struct OdooWorkersOptions {
  odoo::ServerMatch server{};
  std::uint16_t gevent_port = 8072;     ///< 0: none expected
  std::uint64_t memory_soft_bytes = 0;  ///< limit_memory_soft of odoo.conf; 0 = not told, the kernel does not know it
};
std::unique_ptr<Probe> make_odoo_workers(OdooWorkersOptions options);

}  // namespace ward::probes
