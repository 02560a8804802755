// SPDX-License-Identifier: GPL-2.0-or-later
/* Defines the maps. */
#include "lsm/maps.h"

char LICENSE[] SEC("license") = "GPL";

struct pd_map_labels labels SEC(".maps");
struct pd_map_images images SEC(".maps");
struct pd_map_bindings bindings SEC(".maps");
struct pd_map_state state SEC(".maps");
struct pd_map_held held_names SEC(".maps");
struct pd_map_holds holds SEC(".maps");
struct pd_map_stamps stamps SEC(".maps");
struct pd_map_ring denials SEC(".maps");
struct pd_map_ring notices SEC(".maps");
struct pd_map_budgets budgets SEC(".maps");
struct pd_map_shares shares SEC(".maps");
struct pd_map_scratch scratch SEC(".maps");
