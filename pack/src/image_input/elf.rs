//! ELF (System V ABI, chapters 4 and 5): the segments that are loaded.

use std::borrow::Cow;

use object::elf::{ET_EXEC, FileHeader32, FileHeader64, NT_GNU_ABI_TAG, PT_DYNAMIC, PT_GNU_EH_FRAME, PT_GNU_RELRO, PT_INTERP, PT_LOAD, PT_NOTE, PT_PHDR};
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endianness, FileKind};

use super::Fault;
use super::flat::Piece;

/// Names of notes by which the makers of programs mark them for an operating system.
const SYSTEM_NOTES: [&[u8]; 2] = [b"GNU", b"Go"];

/// Whether `bytes` are a linked image for a device without an operating system.
pub(super) fn is_firmware(bytes: &[u8]) -> bool {
    match FileKind::parse(bytes) {
        Ok(FileKind::Elf32) => is_bare::<FileHeader32<Endianness>>(bytes),
        Ok(FileKind::Elf64) => is_bare::<FileHeader64<Endianness>>(bytes),
        _ => false,
    }
}

/// Nothing in it is for a loader. A file that is cut short counts: it must not go unseen.
fn is_bare<H: FileHeader<Endian = Endianness>>(bytes: &[u8]) -> bool {
    let Ok(header) = H::parse(bytes) else { return true };
    let Ok(endian) = header.endian() else { return true };
    if header.e_type(endian) != ET_EXEC {
        return false;
    }
    let Ok(programs) = header.program_headers(endian, bytes) else { return true };
    programs.iter().all(|program| match program.p_type(endian) {
        PT_INTERP | PT_DYNAMIC | PT_PHDR | PT_GNU_RELRO | PT_GNU_EH_FRAME => false,
        PT_NOTE => !is_for_a_system(program, endian, bytes),
        _ => true,
    })
}

fn is_for_a_system<P: ProgramHeader<Endian = Endianness>>(program: &P, endian: Endianness, bytes: &[u8]) -> bool {
    let Ok(Some(mut notes)) = program.notes(endian, bytes) else { return false };
    while let Ok(Some(note)) = notes.next() {
        let named = SYSTEM_NOTES.contains(&note.name());
        if named && (note.n_type(endian) == NT_GNU_ABI_TAG || note.name() == b"Go") {
            return true;
        }
    }
    false
}

/// The loaded segments by physical address, and where execution begins. Linkers that know no physical addresses write zeros: then the
/// virtual ones count.
pub(super) fn read(bytes: &[u8]) -> Result<(Vec<Piece<'_>>, Option<u64>), Fault> {
    match FileKind::parse(bytes) {
        Ok(FileKind::Elf32) => segments::<FileHeader32<Endianness>>(bytes),
        Ok(FileKind::Elf64) => segments::<FileHeader64<Endianness>>(bytes),
        _ => Err(Fault::Header("it does not begin as an ELF file".into())),
    }
}

fn segments<H: FileHeader<Endian = Endianness>>(bytes: &[u8]) -> Result<(Vec<Piece<'_>>, Option<u64>), Fault> {
    let fault = |error: object::Error| Fault::Header(error.to_string());
    let header = H::parse(bytes).map_err(fault)?;
    let endian = header.endian().map_err(fault)?;
    let programs = header.program_headers(endian, bytes).map_err(fault)?;
    let loaded = || programs.iter().filter(|program| program.p_type(endian) == PT_LOAD && program.p_filesz(endian).into() > 0);
    let physical = loaded().any(|program| program.p_paddr(endian).into() != 0);
    // Ever the same bytes in ever other segments would be an image of any size.
    let sum = loaded().fold(0_u64, |sum, program| sum.saturating_add(program.p_filesz(endian).into()));
    if sum > bytes.len() as u64 {
        return Err(Fault::Header(format!("the segments have {sum} bytes in all, and the file {}: it is cut short, or gives bytes twice", bytes.len())));
    }
    let mut pieces = Vec::new();
    for program in loaded() {
        let address: u64 = if physical { program.p_paddr(endian).into() } else { program.p_vaddr(endian).into() };
        let (offset, size): (u64, u64) = (program.p_offset(endian).into(), program.p_filesz(endian).into());
        let data = program
            .data(endian, bytes)
            .map_err(|()| Fault::Header(format!("the segment for address {address:#x} is {size} bytes from {offset} on, and the file has {}", bytes.len())))?;
        pieces.push(Piece { address, bytes: Cow::Borrowed(data) });
    }
    Ok((pieces, Some(header.e_entry(endian).into())))
}
