//! Records to standard output: JSON Lines, readable text, or shell variables.

use super::{export, text};
use crate::record::Record;
use std::io::{self, Write};
use std::mem::discriminant;

/// How records are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// One JSON object a line.
    #[default]
    Json,
    /// Tables and blocks for people.
    Text,
    /// Blocks of `RAID_FIELD='value'` lines for a POSIX shell.
    Export,
}

/// Standard output.
pub(super) struct Output {
    sink: Box<dyn Write>,
    style: Style,
    painter: text::Painter,
    /// Records of one type, held back until their table is complete.
    table: Vec<Record>,
    blocks: usize,
    closed: bool,
}

impl Output {
    pub(super) fn new(sink: Box<dyn Write>, color: bool, verbose: bool) -> Self {
        let painter = text::Painter { color, verbose };
        Self { sink, style: Style::default(), painter, table: Vec::new(), blocks: 0, closed: false }
    }

    pub(super) fn set_style(&mut self, style: Style) {
        self.style = style;
    }

    pub(super) fn style(&self) -> Style {
        self.style
    }

    pub(super) fn has_color(&self) -> bool {
        self.painter.color
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn record(&mut self, record: &Record) -> io::Result<()> {
        match self.style {
            Style::Json => {
                let line = record.to_line().map_err(io::Error::other)?;
                self.write(line.as_bytes())?;
                self.write(b"\n")
            }
            Style::Export => {
                let value = serde_json::to_value(record).map_err(io::Error::other)?;
                self.block(&export::block(&value))
            }
            Style::Text => {
                if self.table.first().is_some_and(|first| discriminant(first) != discriminant(record)) {
                    self.end_table()?;
                }
                self.table.push(record.clone());
                Ok(())
            }
        }
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.end_table()?;
        self.write(bytes)
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.end_table()?;
        if self.closed {
            return Ok(());
        }
        let flushed = self.sink.flush();
        self.unless_closed(flushed)
    }

    fn end_table(&mut self) -> io::Result<()> {
        let records = std::mem::take(&mut self.table);
        if records.is_empty() {
            return Ok(());
        }
        let text = self.painter.table(&records);
        self.block(&text)
    }

    /// A block of lines, set off from the one before by a blank line.
    fn block(&mut self, text: &str) -> io::Result<()> {
        if self.blocks > 0 {
            self.write(b"\n")?;
        }
        self.blocks = self.blocks.saturating_add(1);
        self.write(text.as_bytes())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let written = self.sink.write_all(bytes);
        self.unless_closed(written)
    }

    /// A reader that went away has seen what it wanted. After any error nothing more is tried.
    fn unless_closed(&mut self, result: io::Result<()>) -> io::Result<()> {
        let Err(error) = result else { return Ok(()) };
        self.closed = true;
        match error.kind() {
            io::ErrorKind::BrokenPipe => Ok(()),
            kind => Err(io::Error::new(kind, format!("standard output: {error}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Pipe {
        written: Arc<Mutex<Vec<u8>>>,
        room: usize,
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut written = self.written.lock().unwrap();
            if written.len() + bytes.len() > self.room {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            written.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn record(kind: &str) -> Record {
        Record::Other(serde_json::json!({"type": kind, "v": 1}))
    }

    fn printed(style: Style, records: &[Record]) -> String {
        let pipe = Pipe { room: usize::MAX, ..Pipe::default() };
        let mut output = Output::new(Box::new(pipe.clone()), false, false);
        output.set_style(style);
        for record in records {
            output.record(record).unwrap();
        }
        output.flush().unwrap();
        let bytes = pipe.written.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn json_is_one_record_a_line() {
        let lines = printed(Style::Json, &[record("a"), record("b")]);
        assert_eq!(lines, "{\"type\":\"a\",\"v\":1}\n{\"type\":\"b\",\"v\":1}\n");
    }

    #[test]
    fn exported_blocks_have_a_blank_line_between() {
        let lines = printed(Style::Export, &[record("a"), record("b")]);
        assert_eq!(lines, "RAID_TYPE='a'\nRAID_V='1'\n\nRAID_TYPE='b'\nRAID_V='1'\n");
    }

    #[test]
    fn a_reader_that_goes_away_is_no_error_and_ends_the_printing() {
        let pipe = Pipe { room: 30, ..Pipe::default() };
        let mut output = Output::new(Box::new(pipe.clone()), false, false);
        for _ in 0..3 {
            output.record(&record("a")).unwrap();
        }
        output.flush().unwrap();
        assert!(output.is_closed());
        assert!(pipe.written.lock().unwrap().len() <= 30);
    }
}
