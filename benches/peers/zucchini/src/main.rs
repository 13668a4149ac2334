//! `zucchini-command make OLD NEW PATCH` and `zucchini-command apply OLD PATCH NEW`, by the crate `zucchini`: Chromium's code.
//!
//! `make-elf ISA BASE OLD NEW PATCH` and `apply-elf ISA BASE OLD PATCH NEW` give it raw images as executables: wrapped in an ELF header with the load
//! address and a relocation for each word that points into the image. Nobody does so in the field; it shows what the method can do.

mod elf;

use std::env;
use std::error::Error;
use std::fs;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["make", old, new, patch] => fs::write(patch, zucchini::generate(&fs::read(old)?, &fs::read(new)?)?)?,
        ["apply", old, patch, new] => fs::write(new, zucchini::apply(&fs::read(old)?, &fs::read(patch)?)?)?,
        ["make-elf", isa, base, old, new, patch] => {
            let wrap = |path| -> Result<Vec<u8>, Box<dyn Error>> { elf::wrap(&fs::read(path)?, isa, base.parse()?) };
            fs::write(patch, zucchini::generate(&wrap(old)?, &wrap(new)?)?)?;
        }
        ["apply-elf", isa, base, old, patch, new] => {
            let wrapped = zucchini::apply(&elf::wrap(&fs::read(old)?, isa, base.parse()?)?, &fs::read(patch)?)?;
            fs::write(new, elf::unwrap(&wrapped)?)?;
        }
        _ => return Err("usage: make OLD NEW PATCH | apply OLD PATCH NEW | make-elf ISA BASE OLD NEW PATCH | apply-elf ISA BASE OLD PATCH NEW".into()),
    }
    Ok(())
}
