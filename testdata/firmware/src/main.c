/* An electricity meter: boots, tests itself, confirms the image, then measures and talks. */
#include "app.h"
#include "confirm.h"
#include "console.h"
#include "events.h"
#include "fmt.h"
#include "selftest.h"
#include "semihost.h"
#include "store.h"
#include "ticks.h"
#include "uart.h"

int main(void);

static _Noreturn void serve(void)
{
    static console_t console;
    console_init(&console, true);
    print("> ");
    for (;;) {
        uint8_t byte;
        while (uart_get(&byte)) {
            console_feed(&console, &app, byte);
        }
        (void)sched_poll(&app.sched, ticks_now());
        __asm volatile("wfi");
    }
}

int main(void)
{
    uart_init();
    print("sealift-demo-firmware %s\n", FIRMWARE_NAME);
    bool good = selftest_all();
    if (good) {
        boot_confirm();
    }
    semihost_exit(good); /* comes back when nobody listens */

    events_clear();
    store_mount();
    app_reset(&app);
    app_load(&app);
    ticks_init();
    app_start_tasks(&app, ticks_now());
    serve();
}
