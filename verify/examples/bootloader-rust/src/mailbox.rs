//! How an image says that it works: a record in the last 32 bytes of the RAM, which survive a reset (`testdata/firmware/src/confirm.h`).

const ADDRESS: usize = 0x2000_FFE0;
const MAGIC: u32 = 0x4D52_4643;

/// Whether the image that ran before the reset has confirmed itself; takes the record away.
pub(crate) fn take() -> bool {
    let record: *mut [u32; 3] = core::ptr::with_exposed_provenance_mut(ADDRESS);
    // SAFETY: RAM of the board that is kept free for this record; any bits are numbers.
    let [magic, version, check] = unsafe {
        let found = record.read_volatile();
        record.write_volatile([0; 3]);
        found
    };
    magic == MAGIC && check == magic ^ version ^ u32::MAX
}
