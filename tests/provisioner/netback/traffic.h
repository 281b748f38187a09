/* Honest traffic on the model, numbered, and what must have become of it. */
#ifndef TESTS_PROVISIONER_NETBACK_TRAFFIC_H
#define TESTS_PROVISIONER_NETBACK_TRAFFIC_H

#include "tests/provisioner/netback/model.h"

extern uint32_t sent_number, delivered_number;  /* the next one's */

void begin(uint64_t seed);
uint32_t random_below(uint32_t bound);
/* A frame that passes: IPv4 to or from 10.77.1.2, its number in the payload. */
void make_frame(uint8_t *frame, uint32_t len, uint32_t number, bool to_guest);
uint32_t number_of(const struct model_frame *frame);
void send_some(unsigned count);
void deliver_some(unsigned count);
void round_of_traffic(uint64_t now_ns, bool *alive);
void finish(uint64_t now_ns);           /* until nothing is left under way */

/* Everything sent went out once and in order; after kills, parts of a batch again. */
bool all_went_out(bool may_repeat);
/* In order and whole, each once at most; all of them unless some were dropped or lost with a worker. */
bool all_came_in(bool may_miss);
bool counts_are_exact(void);

#endif
