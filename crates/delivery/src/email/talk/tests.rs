//! What is said to a server outside that offers no encryption.

use super::*;
use lettre::message::Mailbox;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

#[tokio::test]
async fn outside_nothing_is_said_in_the_clear() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        stream.write_all(b"220 test\r\n").expect("a greeting");
        let mut heard = Vec::new();
        let lines = BufReader::new(stream.try_clone().expect("a second hand")).lines();
        for line in lines.map_while(Result::ok) {
            heard.push(line);
            // The client may be gone.
            let _ = stream.write_all(b"250-test\r\n250 AUTH PLAIN\r\n");
        }
        heard
    });
    let mailbox = |address: &str| address.parse::<Mailbox>().expect("an address");
    let message = Message::builder()
        .from(mailbox("mob@example.org"))
        .to(mailbox("ops@example.org"))
        .body("secret".to_owned())
        .expect("a message");
    let credentials = Credentials::new("mob".to_owned(), "hunter2".to_owned());
    let sent = Server {
        host: "mail.example",
        addresses: vec![address],
        security: Security::Required,
        credentials: Some(&credentials),
        redaction: &Redaction::default(),
    }
    .send(&message)
    .await;
    let Sent::Failed(failure) = sent else {
        panic!("it must not be sent: {sent:?}");
    };
    assert!(
        failure.reason.contains("mail.example offers no encryption"),
        "{failure:?}"
    );
    assert_eq!(server.join().expect("no panic"), ["EHLO example.org"]);
}
