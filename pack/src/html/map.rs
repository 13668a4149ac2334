//! The map of a new image: cells, each of which shows the dearest that is in it, and how much of that there is.

use crate::inspect::anatomy::ByteKind;

/// A cell of the map: its kind, and how much of it is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// What is in it.
    pub kind: ByteKind,
    /// 0 a little, 1 some, 2 most.
    pub strength: u8,
}

impl Cell {
    /// One byte that is not as predicted is shown, however large the cell.
    #[must_use]
    pub fn of(bytes: &[ByteKind]) -> Self {
        let count = |kind| bytes.iter().filter(|other| **other == kind).count();
        let [predicted, corrected, literal, erased] = ByteKind::ALL.map(count);
        let dear = corrected + literal;
        let kind = match dear {
            0 if erased > predicted => ByteKind::Erased,
            0 => ByteKind::Predicted,
            _ if literal >= corrected => ByteKind::Literal,
            _ => ByteKind::Corrected,
        };
        let strength = if dear == 0 || dear * 8 >= bytes.len() { 2 } else { u8::from(dear * 64 >= bytes.len()) };
        Self { kind, strength }
    }

    /// One cell for several: the dearest of them, as strong as they are together.
    #[must_use]
    pub fn merged(cells: &[Self]) -> Self {
        let is_dear = |cell: &&Self| matches!(cell.kind, ByteKind::Corrected | ByteKind::Literal);
        let dear: Vec<&Self> = cells.iter().filter(is_dear).collect();
        let Some(dearest) = dear.iter().max_by_key(|cell| (cell.strength, cell.kind)) else {
            let erased = cells.iter().filter(|cell| cell.kind == ByteKind::Erased).count();
            let kind = if erased * 2 > cells.len() { ByteKind::Erased } else { ByteKind::Predicted };
            return Self { kind, strength: 2 };
        };
        // The middles of what the strengths stand for: under a 64th, under an eighth, more.
        let sum: usize = dear.iter().map(|cell| [1, 8, 64][usize::from(cell.strength.min(2))]).sum();
        let strength = if sum >= cells.len() * 16 { 2 } else { u8::from(sum >= cells.len() * 2) };
        Self { kind: dearest.kind, strength }
    }

    /// Its class in the style sheets of our pages.
    #[must_use]
    pub fn class(self) -> &'static str {
        match (self.kind, self.strength) {
            (ByteKind::Predicted, _) => "predicted",
            (ByteKind::Erased, _) => "erased",
            (ByteKind::Corrected, 0) => "corrected-little",
            (ByteKind::Corrected, 1) => "corrected-some",
            (ByteKind::Corrected, _) => "corrected",
            (ByteKind::Literal, 0) => "literal-little",
            (ByteKind::Literal, 1) => "literal-some",
            (ByteKind::Literal, _) => "literal",
        }
    }

    fn letter(self) -> char {
        match (self.kind, self.strength) {
            (ByteKind::Predicted, _) => 'p',
            (ByteKind::Erased, _) => 'e',
            (ByteKind::Corrected, 0) => 'a',
            (ByteKind::Corrected, 1) => 'b',
            (ByteKind::Corrected, _) => 'c',
            (ByteKind::Literal, 0) => 'x',
            (ByteKind::Literal, 1) => 'y',
            (ByteKind::Literal, _) => 'z',
        }
    }

    fn of_letter(letter: char) -> Option<Self> {
        let (kind, strength) = match letter {
            'p' => (ByteKind::Predicted, 2),
            'e' => (ByteKind::Erased, 2),
            'a' => (ByteKind::Corrected, 0),
            'b' => (ByteKind::Corrected, 1),
            'c' => (ByteKind::Corrected, 2),
            'x' => (ByteKind::Literal, 0),
            'y' => (ByteKind::Literal, 1),
            'z' => (ByteKind::Literal, 2),
            _ => return None,
        };
        Some(Self { kind, strength })
    }
}

/// The class of a kind as such, for legends.
#[must_use]
pub fn class(kind: ByteKind) -> &'static str {
    Cell { kind, strength: 2 }.class()
}

/// Cells as text: runs of a letter, with their length before it where it is not 1 (`31pa2z`).
#[must_use]
pub fn write(cells: &[Cell]) -> String {
    let mut text = String::new();
    for run in cells.chunk_by(|left, right| left == right) {
        if run.len() > 1 {
            text.push_str(&run.len().to_string());
        }
        text.push(run[0].letter());
    }
    text
}

/// Reads what [`write`](fn@write) wrote; `None` for anything else, and for more than `most` cells.
#[must_use]
pub fn read(text: &str, most: usize) -> Option<Vec<Cell>> {
    let mut cells = Vec::new();
    let mut length = None;
    for character in text.chars() {
        if let Some(digit) = character.to_digit(10) {
            let digit = usize::try_from(digit).ok()?;
            length = Some(length.unwrap_or(0_usize).checked_mul(10)?.checked_add(digit)?);
            continue;
        }
        let cell = Cell::of_letter(character)?;
        let length = length.take().unwrap_or(1);
        if length > most - cells.len() {
            return None;
        }
        cells.resize(cells.len() + length, cell);
    }
    length.is_none().then_some(cells)
}

#[cfg(test)]
mod tests {
    use super::{ByteKind, Cell, read, write};

    #[test]
    fn a_cell_shows_the_dearest_and_how_much_there_is() {
        let mut cell = vec![ByteKind::Predicted; 256];
        assert_eq!(Cell::of(&cell).class(), "predicted");
        cell[7] = ByteKind::Corrected;
        assert_eq!(Cell::of(&cell).class(), "corrected-little");
        cell[8..16].fill(ByteKind::Literal);
        assert_eq!(Cell::of(&cell).class(), "literal-some");
        cell[16..200].fill(ByteKind::Corrected);
        assert_eq!(Cell::of(&cell).class(), "corrected");
        assert_eq!(Cell::of(&[ByteKind::Erased; 9]).class(), "erased");
    }

    #[test]
    fn cells_come_back_from_their_text() {
        let cells: Vec<Cell> = "ppppeabcxyzz".chars().map(|letter| Cell::of_letter(letter).unwrap()).collect();
        assert_eq!(write(&cells), "4peabcxy2z");
        assert_eq!(read("4peabcxy2z", 12), Some(cells));
        for wrong in ["4peabcxy2z3", "q", "13p", "99999999999999999999999p", "-1p"] {
            assert_eq!(read(wrong, 12), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_dear_is_not_lost_among_many() {
        let of = |text: &str| Cell::merged(&read(text, 1000).unwrap()).class();
        assert_eq!(of("8p"), "predicted");
        assert_eq!(of("3p5e"), "erased");
        assert_eq!(of("99pa"), "corrected-little");
        assert_eq!(of("7pz"), "literal-some");
        assert_eq!(of("4c4p"), "corrected");
    }
}
