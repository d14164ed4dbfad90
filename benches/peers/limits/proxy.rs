//! A server far away: bytes pass through, half a round trip later.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// It listens until the program ends.
pub struct Proxy {
    port: u16,
}

/// Stands before the server of a URL.
pub fn start(server: &str, round_trip: Duration) -> Proxy {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let target = authority(server).rsplit('@').next().unwrap().to_owned();
    thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.unwrap();
            let server = TcpStream::connect(&target).unwrap();
            for stream in [&client, &server] {
                stream.set_nodelay(true).unwrap();
            }
            let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            carry(from, to, round_trip / 2);
            carry(server, client, round_trip / 2);
        }
    });
    Proxy { port }
}

impl Proxy {
    /// The URL of the same database through it.
    pub fn through(&self, url: &str) -> String {
        let authority = authority(url);
        let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
        url.replacen(authority, &format!("{user}@127.0.0.1:{}", self.port), 1)
    }
}

fn authority(url: &str) -> &str {
    let start = url.find("://").unwrap() + 3;
    let end = url[start..].find('/').map_or(url.len(), |end| start + end);
    &url[start..end]
}

/// Bytes are under way while later ones set out.
fn carry(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let (send, receive) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if send
                .send((Instant::now() + delay, buffer[..length].to_vec()))
                .is_err()
            {
                break;
            }
        }
    });
    thread::spawn(move || {
        for (due, bytes) in receive {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                return;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}
