/* Included before everything in the host tests (-include): a thread that waits for a lock lets others run, or ticket
 * locks crawl when there are more threads than processors. */
#ifndef TESTS_HV_HOST_H
#define TESTS_HV_HOST_H

void host_yield(void);
#define __builtin_ia32_pause() host_yield()

#endif
