// What a link is to the GPUs of a group: a scale-up port, a NIC of a server, a link between
// servers. A platform file does not say so; the routes do.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "cluster/cluster.hpp"

namespace rehearse {

class LinkPlaces {
 public:
  LinkPlaces(Cluster& cluster, const std::vector<int>& gpus);

  // Whether messages inside a domain take it.
  bool inside(int link) const { return inside_.contains(link); }

  // "4 x 400G NICs of a server: 200 GB/s", "the scale-up port of a GPU: 450 GB/s": of these links
  // those that one domain (or GPU) sends through, and what they carry together.
  std::string text(const std::vector<int>& links) const;

 private:
  // The GPUs before or behind it, and the next link on their way out of the server.
  struct Users {
    std::set<int> gpus;
    int next = -1;
  };
  using UsersOfLinks = std::map<int, Users>;
  void add_route(int from, int to, bool in_domain);
  int only_domain(const Users& users) const;  // kSeveral: they are of more than one
  // Of the links, those whose users are all of the first domain that has one of them.
  std::vector<int> of_one_domain(const std::vector<int>& links, const UsersOfLinks& users) const;
  std::string text_of(const std::vector<int>& links, const UsersOfLinks& users) const;

  Cluster& cluster_;
  UsersOfLinks out_;  // by link on the first half of a route
  UsersOfLinks in_;   // on the second
  std::set<int> inside_;
  std::set<int> across_;
};

}  // namespace rehearse
