//! A device whose journal, states and scratch hold any bytes: after damage, or written by somebody who has had the flash in hand.

use crc::{CRC_32_ISO_HDLC, Crc};
use sealift_verify::update::{Boot, Device, Settings, Update};

use crate::flash::{Buffers, JOURNAL, OnePart, SCRATCH, SLOT, STATES, decompressors, goal, image_id, layout};

const OLD: &[u8] = include_bytes!("../../../testdata/vectors/compact/thumb.old.bin");
const NEW: &[u8] = include_bytes!("../../../testdata/vectors/compact/thumb.new.bin");
const PATCH: &[u8] = include_bytes!("../../../testdata/vectors/compact/thumb.patch");
const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// Bytes of a base record and of a step record (SPEC section 11).
const BASE: usize = 192;
const STEP: usize = 16;

/// The body. Byte 0 says whether the records get right CRCs, and whether the digests in them become those of the two images; then come
/// the two halves of the journal, the secondary slot's first bytes, the states and the scratch.
pub fn run(bytes: &[u8]) {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let mut journal = [0xff; JOURNAL];
    let mut rest = bytes;
    fill(&mut journal[..JOURNAL / 2], &mut rest, 256);
    fill(&mut journal[JOURNAL / 2..], &mut rest, 256);
    for half in journal.chunks_mut(JOURNAL / 2) {
        mend(half, *choice);
    }
    let mut part = OnePart::new();
    let at = layout();
    let second = if choice & 8 == 0 { NEW } else { OLD };
    part.0.preload(0, if choice & 16 == 0 { OLD } else { NEW });
    part.0.preload(SLOT, second);
    part.0.preload(2 * SLOT + SCRATCH, &journal);
    let (states, scratch) = rest.split_at(rest.len() / 2);
    part.0.preload(2 * SLOT + SCRATCH + JOURNAL, &states[..states.len().min(STATES)]);
    part.0.preload(2 * SLOT, &scratch[..scratch.len().min(SCRATCH)]);
    let chips = std::cell::RefCell::new(part);

    // It lives on for some resets; whatever it starts has the digest that it says.
    for _ in 0..4 {
        let mut device = Device::open(&chips, at, Settings::default()).expect("the layout is sound");
        let Ok(boot) = device.boot() else { break };
        match boot {
            Boot::Start(start) => {
                let size = usize::try_from(start.image.size).expect("no image is larger than its slot");
                let held = chips.borrow();
                let slot = held.contents(&at.primary);
                assert_eq!(slot.get(..size).map(image_id), Some(start.image), "an image is started that is not there");
                drop(held);
                let _ = device.confirm();
            }
            _ => break,
        }
    }
    let mut device = Device::open(&chips, at, Settings::default()).expect("the layout is sound");
    // A new device again, or one that goes on.
    let _ = device.provision(image_id(OLD), 0, 0);
    let goal = goal(OLD, image_id(NEW), PATCH).expect("a good patch");
    let mut buffers = Buffers::of(PATCH);
    if let Ok(mut update) = Update::begin_vouched(&mut device, &goal, buffers.memory(), decompressors()) {
        while let Some(wants) = update.wants() {
            let offset = usize::try_from(wants.offset).expect("within the patch");
            assert!(offset < PATCH.len(), "it wants what there is not");
            if update.update(&PATCH[offset..]).is_err() {
                return;
            }
        }
        if update.finish().is_ok() {
            let at_new = chips.borrow().contents(&at.secondary.expect("two slots"))[..NEW.len()] == *NEW;
            assert!(at_new, "done, and another image is there");
        }
    }
}

/// Takes up to `most` bytes of `rest` to the front of `to`.
fn fill(to: &mut [u8], rest: &mut &[u8], most: usize) {
    let (now, later) = rest.split_at(rest.len().min(most));
    to[..now.len()].copy_from_slice(now);
    *rest = later;
}

/// Makes records of bytes that nearly are some.
fn mend(half: &mut [u8], choice: u8) {
    if choice & 1 == 0 {
        return;
    }
    half[..4].copy_from_slice(b"SLJ1");
    if choice & 2 != 0 {
        // The current image, and the pending one.
        half[32..64].copy_from_slice(&image_id(OLD).digest);
        half[64..68].copy_from_slice(&u32::try_from(OLD.len()).expect("small").to_le_bytes());
        half[68..72].copy_from_slice(&u32::try_from(NEW.len()).expect("small").to_le_bytes());
        half[72..104].copy_from_slice(&image_id(NEW).digest);
    }
    let generation: [u8; 4] = half[4..8].try_into().expect("four bytes");
    seal(&mut half[..BASE], [0; 4]);
    if choice & 4 != 0 {
        let manifest: [u8; 4] = half[104..108].try_into().expect("four bytes");
        for number in 0..3_u16 {
            let step = &mut half[BASE + usize::from(number) * STEP..][..STEP];
            if step.iter().all(|byte| *byte == 0xff) {
                break;
            }
            step[2..4].copy_from_slice(&number.to_le_bytes());
            step[8..12].copy_from_slice(&manifest);
            seal(step, generation);
        }
    }
}

fn seal(record: &mut [u8], generation: [u8; 4]) {
    let (body, last) = record.split_at_mut(record.len() - 4);
    let mut digest = CRC.digest();
    digest.update(&generation);
    digest.update(body);
    last.copy_from_slice(&digest.finalize().to_le_bytes());
}
