/* How the machine ends: ports from ACPI's FADT (boot/acpi.c sets them). */
#ifndef CONSOLE_MACHINE_H
#define CONSOLE_MACHINE_H

#include "hv/lib/types.h"

struct power_ports {
    uint16_t pm1a_cnt;
    uint8_t s5_type;
    uint16_t reset_port;                /* 0: none */
    uint8_t reset_value;
};

extern bool panic_halts;
extern struct power_ports machine_power;        /* boot/acpi.c fills it in */
void machine_reset(void) __noreturn;
void machine_power_off(void) __noreturn;

#endif
