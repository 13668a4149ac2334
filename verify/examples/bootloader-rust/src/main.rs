//! A reference bootloader: holds a trust record, takes packages over a serial line, starts the image in the primary slot.
//!
//! After each reset it looks whether the image that ran before has confirmed itself, lets [`Device::boot`] finish what was interrupted,
//! and asks on the link whether there is an update ([`link`] has the protocol). It then starts the image; one on trial that does not confirm
//! is taken back at the next reset.
//!
//! Everything is on the stack: what verifying needs is gone before the decoder's tables come, so that 17 KiB of RAM do for both, the serial line and its buffers among them.
#![no_std]
#![no_main]

mod flash_map;
mod link;
mod mailbox;
mod receive;
mod start;

use core::cell::RefCell;

use board::flash::NorMemory;
use board::uart::{CONSOLE, LINK};
use sealift_verify::update::{Boot, Device, Settings, Trial};

use link::Request;

#[cortex_m_rt::entry]
fn main() -> ! {
    CONSOLE.start();
    LINK.start();
    CONSOLE.print("sealift bootloader (rust)\n");
    let chips = RefCell::new(flash_map::chip());
    confirm(&chips);
    loop {
        let boot = boot(&chips);
        link::ready();
        let code = match link::request() {
            Request::Factory(image) => receive::factory(&chips, &image),
            Request::Package => receive::package(&chips),
            Request::Boot => start(boot),
        };
        match code {
            Ok(()) => link::done(),
            Err(error) => {
                say("refused: code ", error.code());
                link::failed(error.code());
            }
        }
    }
}

type Chips = RefCell<NorMemory>;

/// Opens the device.
fn device(chips: &Chips) -> Result<Device<'_, NorMemory>, sealift_verify::Error> {
    Device::open(chips, flash_map::LAYOUT, Settings { install: flash_map::INSTALL, save_every: 1, trial_starts: 1 }).map_err(|error| error.reason())
}

/// Makes the image stay that ran before the reset, if it said that it works.
#[inline(never)]
fn confirm(chips: &Chips) {
    if mailbox::take() {
        match device(chips).and_then(|mut device| device.confirm().map_err(|error| error.reason())) {
            Ok(()) => CONSOLE.print("confirmed\n"),
            Err(error) => say("not confirmed: code ", error.code()),
        }
    }
}

/// What is to be started.
#[inline(never)]
fn boot(chips: &Chips) -> Option<Boot> {
    let boot = device(chips).and_then(|mut device| device.boot().map_err(|error| error.reason()));
    match boot {
        Ok(Boot::Start(start)) => {
            CONSOLE.print(match (start.trial, start.reverted) {
                (Some(Trial::Reverts { .. }), _) => "image on trial\n",
                (Some(Trial::Final), _) => "image not confirmed\n",
                (None, true) => "image, the update was taken back\n",
                (None, false) => "image\n",
            });
            return boot.ok();
        }
        Ok(Boot::Unfinished { .. }) => CONSOLE.print("update unfinished\n"),
        Ok(Boot::NotProvisioned) => CONSOLE.print("not provisioned\n"),
        Ok(Boot::Nothing) => CONSOLE.print("nothing to start\n"),
        Err(error) => say("flash: code ", error.code()),
    }
    None
}

/// Starts the image, if there is one; else comes back.
fn start(boot: Option<Boot>) -> Result<(), sealift_verify::Error> {
    match boot {
        Some(Boot::Start(_)) => start::image(flash_map::PRIMARY_ADDRESS),
        _ => Err(sealift_verify::Error::NotProvisioned),
    }
}

fn say(text: &str, code: u16) {
    CONSOLE.print(text);
    CONSOLE.print_number(code.into());
    CONSOLE.put(b'\n');
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    CONSOLE.print("panic\n");
    board::exit::exit(false)
}

#[cortex_m_rt::exception]
unsafe fn HardFault(_: &cortex_m_rt::ExceptionFrame) -> ! {
    CONSOLE.print("fault\n");
    board::exit::exit(false)
}
