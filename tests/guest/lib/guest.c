/* The small kernels' common part. Deliberately no interrupts, no second CPU and no
 * allocator beyond a row of pages: what a test needs more of, it makes itself. */
#include "tests/guest/lib/guest.h"

#include <stdarg.h>
#include <xen/event_channel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/io/console.h>
#include <xen/memory.h>
#include <xen/sched.h>

const struct hvm_start_info *guest_info;
uint64_t try_error_code;

static unsigned checks, failures;
static struct xencons_interface *ring;
static evtchn_port_t ring_port;
static void *try_env[5];
static bool trying;

void guest_start(const struct hvm_start_info *info);
void guest_exception(uint64_t vector, uint64_t error_code, uint64_t rip);
void *memset(void *to, int byte, size_t bytes);
void *memcpy(void *to, const void *from, size_t bytes);

void *memset(void *to, int byte, size_t bytes)
{
    void *start = to;

    __asm__ volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(byte) : "memory");
    return start;
}

void *memcpy(void *to, const void *from, size_t bytes)
{
    void *start = to;

    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
    return start;
}

long hypercall(unsigned long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
    register uint64_t r10 __asm__("r10") = d;
    register uint64_t r8 __asm__("r8") = e;
    long rax = (long)number;

    __asm__ volatile("vmmcall" : "+a"(rax), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8) : : "memory", "r9", "r11");
    return rax;
}

/* ---- console ---- */

static void ring_write(const char *text, size_t bytes)
{
    struct evtchn_send send = { .port = ring_port };

    while (bytes) {
        XENCONS_RING_IDX prod = ring->out_prod;

        if (prod - __atomic_load_n(&ring->out_cons, __ATOMIC_ACQUIRE) < sizeof(ring->out)) {
            ring->out[MASK_XENCONS_IDX(prod, ring->out)] = *text++;
            bytes--;
            __atomic_store_n(&ring->out_prod, prod + 1, __ATOMIC_RELEASE);
        } else {
            HC2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &send);
            HC2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
        }
    }
    HC2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &send);
}

static void console_write(const char *text, size_t bytes)
{
    if (guest_is_dom0())
        HC3(__HYPERVISOR_console_io, CONSOLEIO_write, bytes, text);
    else if (ring)
        ring_write(text, bytes);
}

uint64_t hvm_param(uint32_t index)
{
    struct xen_hvm_param param = { .domid = DOMID_SELF, .index = index };

    return HC2(__HYPERVISOR_hvm_op, HVMOP_get_param, &param) ? 0 : param.value;
}

static void console_init(void)
{
    if (guest_is_dom0())
        return;
    ring_port = (evtchn_port_t)hvm_param(HVM_PARAM_CONSOLE_EVTCHN);
    ring = (struct xencons_interface *)(hvm_param(HVM_PARAM_CONSOLE_PFN) << 12);
}

struct line {
    char text[256];
    size_t length;
};

static void put(struct line *line, char c)
{
    if (line->length < sizeof(line->text))
        line->text[line->length++] = c;
}

static void put_number(struct line *line, uint64_t value, unsigned base)
{
    char digits[20];
    int count = 0;

    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (count)
        put(line, digits[--count]);
}

static void format_into(struct line *line, const char *format, va_list arguments)
{
    for (; *format; format++) {
        if (*format != '%') {
            put(line, *format);
            continue;
        }
        switch (*++format) {
        case 's':
            for (const char *s = va_arg(arguments, const char *); *s; s++)
                put(line, *s);
            break;
        case 'd': {
            int64_t value = va_arg(arguments, int64_t);

            if (value < 0)
                put(line, '-');
            put_number(line, value < 0 ? -(uint64_t)value : (uint64_t)value, 10);
            break;
        }
        case 'u':
            put_number(line, va_arg(arguments, uint64_t), 10);
            break;
        default:
            put_number(line, va_arg(arguments, uint64_t), 16);
            break;
        }
    }
}

void print(const char *format, ...)
{
    struct line line = { .length = 0 };
    va_list arguments;

    va_start(arguments, format);
    format_into(&line, format, arguments);
    va_end(arguments);
    console_write(line.text, line.length);
}

char *format(char *to, size_t room, const char *format, ...)
{
    struct line line = { .length = 0 };
    size_t length;
    va_list arguments;

    va_start(arguments, format);
    format_into(&line, format, arguments);
    va_end(arguments);
    length = line.length < room ? line.length : room - 1;
    memcpy(to, line.text, length);
    to[length] = 0;
    return to;
}

/* ---- checks ---- */

void check(bool passed, const char *format, ...)
{
    struct line line = { .length = 0 };
    va_list arguments;

    checks++;
    failures += !passed;
    for (const char *s = passed ? "ok " : "not ok "; *s; s++)
        put(&line, *s);
    put_number(&line, checks, 10);
    for (const char *s = " - "; *s; s++)
        put(&line, *s);
    va_start(arguments, format);
    format_into(&line, format, arguments);
    va_end(arguments);
    put(&line, '\n');
    console_write(line.text, line.length);
}

void check_equal(int64_t got, int64_t wanted, const char *name)
{
    if (got == wanted)
        check(true, "%s", name);
    else
        check(false, "%s: got %d, wanted %d", name, got, wanted);
}

uint64_t random_next(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15;

    state ^= state << 13;               /* xorshift64, Marsaglia 2003 */
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* ---- memory ---- */

void *page_alloc(void)
{
    static uint8_t pages[256][4096] __attribute__((aligned(4096)));
    static unsigned used;

    if (used == sizeof(pages) / sizeof(pages[0])) {
        print("Bail out! no page is left\n");
        shutdown(SHUTDOWN_crash);
    }
    return memset(pages[used++], 0, 4096);
}

uint64_t gfn_unused(void)
{
    static uint64_t next = 0xf0000;     /* 3.75 GiB: no RAM of ours, below the LAPIC's page */

    return next++;
}

struct shared_info *shared_info(void)
{
    static struct shared_info *page;
    struct xen_add_to_physmap map = { .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info };

    if (!page) {
        map.gpfn = (uint64_t)page_alloc() >> 12;
        if (HC2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &map)) {
            print("Bail out! the shared info page cannot be mapped\n");
            shutdown(SHUTDOWN_crash);
        }
        page = (struct shared_info *)(map.gpfn << 12);
    }
    return page;
}

/* xen.h, struct vcpu_time_info: the version is odd while the rest changes. */
uint64_t clock_ns(unsigned vcpu)
{
    volatile struct vcpu_time_info *t = &shared_info()->vcpu_info[vcpu].time;
    uint64_t delta, ns;
    uint32_t version;

    do {
        version = t->version;
        __asm__ volatile("" ::: "memory");
        delta = rdtsc() - t->tsc_timestamp;
        delta = t->tsc_shift < 0 ? delta >> -t->tsc_shift : delta << t->tsc_shift;
        ns = t->system_time + (uint64_t)((unsigned __int128)delta * t->tsc_to_system_mul >> 32);
        __asm__ volatile("" ::: "memory");
    } while (version & 1 || version != t->version);
    return ns;
}

/* ---- exceptions ---- */

struct gate {
    uint16_t offset_low, selector, flags, offset_middle;
    uint32_t offset_high, reserved;
};
extern const uint64_t exception_entries[32];

static void idt_load(void)
{
    static struct gate idt[32] __attribute__((aligned(16)));
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } pointer = { sizeof(idt) - 1, (uint64_t)idt };

    for (unsigned i = 0; i < 32; i++) {
        uint64_t entry = exception_entries[i];

        idt[i] = (struct gate){ (uint16_t)entry, 8, 0x8e00, (uint16_t)(entry >> 16), (uint32_t)(entry >> 32), 0 };
    }
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

void guest_exception(uint64_t vector, uint64_t error_code, uint64_t rip)
{
    if (trying) {
        trying = false;
        try_error_code = vector << 32 | error_code;
        __builtin_longjmp(try_env, 1);
    }
    print("Bail out! exception %u, error code %x, at %x\n", vector, error_code, rip);
    shutdown(SHUTDOWN_crash);
}

int __attribute__((noinline)) try(void (*function)(void *), void *argument)
{
    if (__builtin_setjmp(try_env))
        return (int)(try_error_code >> 32);
    trying = true;
    function(argument);
    trying = false;
    return -1;
}

/* ---- birth and end ---- */

void shutdown(unsigned reason)
{
    struct sched_shutdown request = { .reason = reason };

    HC2(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &request);
    for (;;)
        __asm__ volatile("cli; hlt");
}

void guest_start(const struct hvm_start_info *info)
{
    guest_info = info;
    idt_load();
    console_init();
    guest_main();
    print("1..%u\n", (uint64_t)checks);
    shutdown(failures ? SHUTDOWN_crash : SHUTDOWN_poweroff);
}
