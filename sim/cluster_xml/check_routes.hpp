// The routes of a platform file, zone by zone.
#pragma once

#include "cluster_xml/xml_element.hpp"

namespace rehearse {

// Throws InputError when a route names an unknown link or an end that is not in its zone, crosses a
// SPLITDUPLEX link without a direction, has no link, or is declared twice; and when two GPUs, or a
// GPU and its zone's gateway, have no route:
//   Full            needs every ordered pair declared
//   Floyd, Dijkstra need a path
//   Cluster         needs a host_link per host
//   None            has no routes at all
// Vertices without GPUs behind them (the ports of a scale-up fabric beside the scale-out one) need
// none. REQUIRES check_grammar, check_values and check_names.
void check_routes(const Element& platform);

}  // namespace rehearse
