//! Made-up executables for AArch64, and images that hold files at block boundaries as file systems do.

/// Bytes of a block.
pub const BLOCK: usize = 4096;
/// From one piece of an executable to the next there are so many bytes in memory at least, as linkers for AArch64 have it.
const PAGE: usize = 0x1_0000;

/// An executable whose functions call each other and whose data points to them: revision 1, or 2 with some more instructions. In the file the data begin at a multiple of 64 KiB, zeros
/// before them, and are loaded 64 KiB farther behind.
#[must_use]
pub fn executable(seed: u32, revision: u32, functions: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = move |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    // Of each function: how long it is, and whom it calls where.
    let bodies: Vec<Vec<Option<usize>>> =
        (0..functions).map(|_| (0..12 + next(30)).map(|_| if next(4) == 0 { Some(next(functions)) } else { None }).collect()).collect();
    let more = |number: usize| if revision > 1 && number % 29 == 7 { 1 + number % 3 } else { 0 };
    let mut starts = Vec::new();
    let mut at = BLOCK;
    for (number, body) in bodies.iter().enumerate() {
        starts.push(at);
        at += 4 * (body.len() + more(number));
    }
    let text_end = at;
    let data = text_end.next_multiple_of(PAGE) + 0x800;
    let pointers_end = data + 8 * functions;

    let mut image = vec![0; BLOCK];
    for (number, body) in bodies.iter().enumerate() {
        image.extend((0..more(number)).flat_map(|count| (0x9100_0400_u32 | (number + count) as u32 & 31).to_le_bytes()));
        for (place, call) in body.iter().enumerate() {
            let word = match call {
                Some(callee) => {
                    let distance = (starts[*callee] as i64 - image.len() as i64) / 4;
                    0x9400_0000 | distance as u32 & 0x03FF_FFFF
                }
                None => 0x8B00_0000 | ((number * 31 + place * 7) as u32).wrapping_mul(2_654_435_761) >> 12 & 0x001F_03FF,
            };
            image.extend(word.to_le_bytes());
        }
    }
    image.resize(data, 0);
    image.extend(starts.iter().flat_map(|start| (*start as u64).to_le_bytes()));
    // Three section headers: none, the text, and memory that is zero at first.
    let section = |kind: u32, offset: usize, size: usize| {
        let mut header = [0; 64];
        header[4..8].copy_from_slice(&kind.to_le_bytes());
        header[24..32].copy_from_slice(&(offset as u64).to_le_bytes());
        header[32..40].copy_from_slice(&(size as u64).to_le_bytes());
        header
    };
    for header in [section(0, 0, 0), section(1, BLOCK, text_end - BLOCK), section(8, pointers_end, 0x4000)] {
        image.extend(header);
    }
    let mut put = |at: usize, bytes: &[u8]| image[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"\x7fELF\x02\x01\x01");
    put(16, &[3, 0, 183, 0, 1]);
    put(32, &64_u64.to_le_bytes());
    put(40, &(pointers_end as u64).to_le_bytes());
    put(52, &[64, 0, 56, 0, 2, 0, 64, 0, 3, 0]);
    let loaded = [(0, 0, text_end, text_end), (data, data + PAGE, pointers_end - data, pointers_end - data + 0x4000)];
    for (number, (offset, address, size, memory)) in loaded.into_iter().enumerate() {
        let header = 64 + 56 * number;
        put(header, &1_u32.to_le_bytes());
        for (place, value) in [(8, offset), (16, address), (24, address), (32, size), (40, memory)] {
            put(header + place, &(value as u64).to_le_bytes());
        }
    }
    image
}

/// An image of so many blocks that holds `files` from their blocks on. Blocks of zeros are left out of a file, which goes on behind them at once.
#[must_use]
pub fn file_system(blocks: usize, files: &[(usize, &[u8])]) -> Vec<u8> {
    let mut image = vec![0; blocks * BLOCK];
    for (start, file) in files {
        let mut at = start * BLOCK;
        for block in file.chunks(BLOCK).filter(|block| block.iter().any(|byte| *byte != 0)) {
            image[at..at + block.len()].copy_from_slice(block);
            at += BLOCK;
        }
    }
    image
}

/// Bytes that resemble nothing.
#[must_use]
pub fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(size).collect()
}

/// Two states of a file system: executables of which some changed and moved, files that stayed, moved or went, and some that are new.
#[must_use]
pub fn roots() -> [Vec<u8>; 2] {
    let kept = noise(1, 200 * BLOCK);
    let moved = noise(2, 37 * BLOCK + 100);
    let text: Vec<u8> = (0..30_000_u32).flat_map(|number| format!("line {number} of a file\n").into_bytes()).collect();
    let mut edited = text.clone();
    edited.splice(100_000..100_007, *b"another");
    edited.splice(9_000..9_000, *b"some more bytes in front");
    let tools: Vec<[Vec<u8>; 2]> = (1..=3).map(|seed| [executable(seed, 1, 900), executable(seed, 2, 900)]).collect();
    let same = executable(9, 1, 500);
    let fresh = noise(3, 3 * BLOCK);
    let old = file_system(900, &[(3, &kept), (220, &tools[0][0]), (300, &moved), (400, &text), (600, &tools[1][0]), (680, &tools[2][0]), (760, &same)]);
    let new = file_system(
        1000,
        &[(3, &kept), (210, &tools[1][1]), (290, &fresh), (300, &tools[0][1]), (400, &edited), (610, &same), (700, &tools[2][1]), (800, &moved)],
    );
    [old, new]
}
