//! The form that carries a unikernel: its configuration and its image as multipart/form-data.
//!
//! Owns the separator between the parts. What the parts must hold is the door's matter.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::door::http::{CONFIG_PART, IMAGE_PART};

/// A body, and the content type that names its separator.
pub(super) struct Form {
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

impl Form {
    /// Writes both parts. The separator is the image's own SHA-256: no image holds that, and nothing has to be drawn by lot
    /// and searched for.
    pub(super) fn new(config: &[u8], image: &[u8]) -> Self {
        let boundary = hex(&Sha256::digest(image));
        let mut body = Vec::with_capacity(config.len() + image.len() + 4 * 256);
        for (name, content) in [(CONFIG_PART, config), (IMAGE_PART, image)] {
            body.extend_from_slice(head(&boundary, name).as_bytes());
            body.extend_from_slice(content);
        }
        body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        Self {
            content_type: format!("multipart/form-data; boundary={boundary}"),
            body,
        }
    }
}

fn head(boundary: &str, name: &str) -> String {
    format!("\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("text can be written to");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_written_as_browsers_write_it() {
        let form = Form::new(b"{}", b"ELF");
        let boundary = "706abe3c90152075e656b661079730facf323f3ebccda7547ee1935c90845a09";
        assert_eq!(form.content_type, format!("multipart/form-data; boundary={boundary}"));
        assert_eq!(
            String::from_utf8(form.body).unwrap(),
            format!(
                "\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"config\"\r\n\r\n{{}}\
                 \r\n--{boundary}\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\nELF\
                 \r\n--{boundary}--\r\n"
            )
        );
    }
}
