/* hv's side of a device (xs/meter.h), from dom0's kernel mode. The tests bring a model. */
#ifndef DEVD_CHANNEL_H
#define DEVD_CHANNEL_H

#include <stdint.h>
#include <xs/meter.h>

/* Exits 1 when hypercalls cannot be made. */
void channels_open(void);

/* Errors as XS_METER_open, XS_METER_limit; 0 and *opened. */
int channel_open(uint32_t domid, uint32_t class, uint32_t device, struct xs_meter_open *opened);
/* One that is not open stays so. */
void channel_close(uint32_t domid, uint32_t class, uint32_t device);
int channel_limit(const struct xs_meter_limit *limit);

#endif
