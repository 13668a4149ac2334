//! A raw image as an ELF file: one section of code at its load address, and relocations for the words that point into it.

use std::error::Error;

/// Where the image begins in the file: a page, so that its offset and its address are congruent.
const START: usize = 0x1000;

/// What differs between the two sorts of ELF file (ELF specification, chapter 1).
struct Form {
    wide: bool,
    machine: u16,
    /// Type of a relative relocation.
    relative: u64,
}

fn form(isa: &str) -> Result<Form, Box<dyn Error>> {
    match isa {
        "thumb" | "arm" => Ok(Form { wide: false, machine: 40, relative: 23 }),
        "aarch64" => Ok(Form { wide: true, machine: 183, relative: 1027 }),
        other => Err(format!("Zucchini knows no {other}").into()),
    }
}

/// The image as an ELF file.
pub fn wrap(image: &[u8], isa: &str, base: u64) -> Result<Vec<u8>, Box<dyn Error>> {
    let form = form(isa)?;
    let word = if form.wide { 8 } else { 4 };
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
    let inside = base..base + image.len() as u64;
    let pointers = image.chunks_exact(word).enumerate().filter(|(_, bytes)| inside.contains(&number(bytes))).map(|(place, _)| base + (place * word) as u64);

    let mut file = vec![0; START];
    file.extend_from_slice(image);
    file.resize(file.len().next_multiple_of(16), 0);
    let relocations = file.len();
    for pointer in pointers {
        put(&mut file, pointer, word);
        put(&mut file, form.relative, word);
    }
    let relocations_size = file.len() - relocations;
    let names = file.len();
    file.extend_from_slice(b"\0.text\0.rel.dyn\0.shstrtab\0");
    let names_size = file.len() - names;
    file.resize(file.len().next_multiple_of(16), 0);
    let sections = file.len();
    // Zucchini passes over sections without an address.
    let relocations_address = base + (relocations - START) as u64;
    // Name, type, flags, address, offset, size, link, info, alignment, size of an entry.
    let relocation_entry = (2 * word) as u64;
    section(&mut file, word, [0; 10]);
    section(&mut file, word, [1, 1, 6, base, START as u64, image.len() as u64, 0, 0, 16, 0]);
    section(&mut file, word, [7, 9, 2, relocations_address, relocations as u64, relocations_size as u64, 0, 1, word as u64, relocation_entry]);
    section(&mut file, word, [16, 3, 0, 0, names as u64, names_size as u64, 0, 0, 1, 0]);

    let mut head = Vec::new();
    head.extend_from_slice(&[0x7f, b'E', b'L', b'F', if form.wide { 2 } else { 1 }, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    put(&mut head, if form.wide { 3 } else { 2 }, 2);
    put(&mut head, form.machine.into(), 2);
    put(&mut head, 1, 4);
    let (own, program, entry) = if form.wide { (64, 56, 64) } else { (52, 32, 40) };
    for address in [base, own, sections as u64] {
        put(&mut head, address, word);
    }
    put(&mut head, if form.wide { 0 } else { 0x0500_0000 }, 4);
    for value in [own, program, 1, entry, 4, 3] {
        put(&mut head, value, 2);
    }
    let size = image.len() as u64;
    if form.wide {
        put(&mut head, 1, 4);
        put(&mut head, 5, 4);
        [START as u64, base, base, size, size, START as u64].map(|value| put(&mut head, value, 8));
    } else {
        [1, START as u64, base, base, size, size, 5, START as u64].map(|value| put(&mut head, value, 4));
    }
    file[..head.len()].copy_from_slice(&head);
    Ok(file)
}

/// The image of a file that [`wrap`] made.
pub fn unwrap(file: &[u8]) -> Result<&[u8], Box<dyn Error>> {
    let wide = file.get(4) == Some(&2);
    // File size of the one segment.
    let at = if wide { 64 + 32 } else { 52 + 16 };
    let size = u32::from_le_bytes(file.get(at..at + 4).ok_or("no ELF file")?.try_into()?);
    Ok(file.get(START..START + size as usize).ok_or("the ELF file is cut short")?)
}

fn section(file: &mut Vec<u8>, word: usize, fields: [u64; 10]) {
    for (place, value) in fields.into_iter().enumerate() {
        // Name, type, link and info have four bytes in both sorts.
        put(file, value, if matches!(place, 0 | 1 | 6 | 7) { 4 } else { word });
    }
}

fn put(out: &mut Vec<u8>, value: u64, bytes: usize) {
    out.extend_from_slice(&value.to_le_bytes()[..bytes]);
}
