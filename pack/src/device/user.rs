//! The person in front of the device: at the terminal, or a script in their place.

use std::collections::VecDeque;
use std::io::{self, BufRead, IsTerminal, Write};

use crate::oma::dm::{Interaction, Kind, Response};

/// Who is told and asked.
pub trait User {
    /// Shows a text.
    fn tell(&mut self, text: &str);

    /// Asks a question and gives what was entered; `None` if there is no answer.
    fn ask(&mut self, question: &str) -> Option<String>;

    /// Asks for yes or no. No answer is no.
    fn agrees(&mut self, question: &str) -> bool {
        self.ask(&format!("{question} [y/N]")).is_some_and(|answer| is_yes(&answer))
    }

    /// What a server wants to be shown or asked (alerts 1100 to 1104).
    fn interact(&mut self, interaction: &Interaction) -> Response {
        let text = &interaction.text;
        match interaction.kind {
            Kind::Display => {
                self.tell(text);
                Response::Confirmed
            }
            Kind::Confirm => {
                if self.agrees(text) {
                    Response::Confirmed
                } else {
                    Response::Refused
                }
            }
            Kind::Input => match self.ask(text) {
                Some(answer) if interaction.options.max_characters.is_none_or(|max| answer.chars().count() <= usize::try_from(max).unwrap_or(usize::MAX)) => {
                    Response::Entered(answer)
                }
                _ => Response::Cancelled,
            },
            Kind::SingleChoice | Kind::MultipleChoice => {
                let mut question = text.clone();
                for (number, choice) in (1..).zip(&interaction.choices) {
                    question.push_str(&format!("\n  {number} {choice}"));
                }
                let Some(answer) = self.ask(&question) else { return Response::Cancelled };
                let chosen: Option<Vec<u32>> = answer.split([' ', ',']).filter(|part| !part.is_empty()).map(|part| part.parse().ok()).collect();
                let exists = |number: &u32| usize::try_from(*number).is_ok_and(|n| (1..=interaction.choices.len()).contains(&n));
                match chosen {
                    Some(chosen) if chosen.iter().all(exists) && (interaction.kind == Kind::MultipleChoice || chosen.len() == 1) => Response::Selected(chosen),
                    _ => Response::Cancelled,
                }
            }
        }
    }
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

/// The person at the terminal. Without a terminal nobody answers.
#[derive(Debug, Default)]
pub struct Terminal;

impl User for Terminal {
    fn tell(&mut self, text: &str) {
        let _ = writeln!(io::stdout(), "{text}");
    }

    fn ask(&mut self, question: &str) -> Option<String> {
        if !io::stdin().is_terminal() {
            self.tell(question);
            self.tell("(nobody is at the terminal: --yes, --no or --script answers)");
            return None;
        }
        let _ = write!(io::stdout(), "{question} ").and_then(|()| io::stdout().flush());
        let mut line = String::new();
        match io::stdin().lock().read_line(&mut line) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(line.trim().to_owned()),
        }
    }
}

/// Answers that were written down before: one a question, then silence or always the same.
#[derive(Debug, Default, Clone)]
pub struct Script {
    answers: VecDeque<String>,
    always: Option<String>,
    echoes: bool,
    /// Everything that was told or asked.
    pub heard: Vec<String>,
}

impl Script {
    /// These answers, in their order.
    #[must_use]
    pub fn new<T: Into<String>>(answers: impl IntoIterator<Item = T>) -> Self {
        Self { answers: answers.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// The same answer to everything.
    #[must_use]
    pub fn always(answer: &str) -> Self {
        Self { always: Some(answer.to_owned()), ..Self::default() }
    }

    /// The same, and everything is also shown.
    #[must_use]
    pub fn shown(self) -> Self {
        Self { echoes: true, ..self }
    }

    fn hear(&mut self, text: String) {
        if self.echoes {
            let _ = writeln!(io::stdout(), "{text}");
        }
        self.heard.push(text);
    }
}

impl User for Script {
    fn tell(&mut self, text: &str) {
        self.hear(text.to_owned());
    }

    fn ask(&mut self, question: &str) -> Option<String> {
        let answer = self.answers.pop_front().or_else(|| self.always.clone());
        self.hear(format!("{question} {}", answer.as_deref().unwrap_or("(no answer)")));
        answer
    }
}
