//! Access to the socket of a connection, which the client library does not expose.
//!
//! All unsafe code of `postgres` is in this file.

#[cfg(unix)]
pub(super) use unix::{Known, Socket};

#[cfg(not(unix))]
pub(super) use elsewhere::{Known, Socket};

#[cfg(unix)]
mod unix {
    use std::{
        collections::BTreeSet,
        fs, io,
        net::{Shutdown, TcpStream},
        os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd},
    };

    use crate::database::postgres::options::Keepalives;

    /// The directory in which the system lists the descriptors of a process.
    const LIST: &str = "/dev/fd";

    /// The descriptors that were open at some time.
    pub struct Known(BTreeSet<RawFd>);

    impl Known {
        pub fn now() -> Self {
            Self(open().into_iter().collect())
        }
    }

    /// A second handle of a connection's socket.
    pub struct Socket(TcpStream);

    impl Socket {
        /// The only socket to `port` that was opened since; `None` if that is not certain.
        pub fn opened_since(known: &Known, port: u16) -> Option<Self> {
            let new = open().into_iter().filter(|fd| !known.0.contains(fd));
            let mut sockets = new.filter_map(|fd| duplicate(fd).ok()).filter(|socket| {
                let peer = socket.peer_addr();
                peer.is_ok_and(|peer| peer.port() == port)
            });
            match (sockets.next(), sockets.next()) {
                (Some(socket), None) => Some(Self(socket)),
                _ => None,
            }
        }

        /// Shuts the connection down; pending reads fail.
        pub fn end(&self) {
            // The connection may be closed already.
            let _ = self.0.shutdown(Shutdown::Both);
        }

        /// Enables TCP keepalives.
        pub fn keep_alive(&self, keepalives: Keepalives) {
            let number = |number: u32| libc::c_int::try_from(number).unwrap_or(libc::c_int::MAX);
            let on = libc::c_int::from(keepalives.is_on);
            self.set(libc::SOL_SOCKET, libc::SO_KEEPALIVE, on);
            if !keepalives.is_on {
                return;
            }
            #[cfg(any(target_os = "linux", target_os = "android"))]
            {
                let tcp = libc::IPPROTO_TCP;
                self.set(tcp, libc::TCP_KEEPIDLE, number(keepalives.idle));
                self.set(tcp, libc::TCP_KEEPINTVL, number(keepalives.interval));
                self.set(tcp, libc::TCP_KEEPCNT, number(keepalives.count));
                if keepalives.user_timeout > 0 {
                    let timeout = number(keepalives.user_timeout);
                    self.set(tcp, libc::TCP_USER_TIMEOUT, timeout);
                }
            }
            #[cfg(target_vendor = "apple")]
            self.set(
                libc::IPPROTO_TCP,
                libc::TCP_KEEPALIVE,
                number(keepalives.idle),
            );
            #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
            let _ = number;
        }

        /// Sets an option. Unsupported options are ignored.
        fn set(&self, level: libc::c_int, name: libc::c_int, value: libc::c_int) {
            let size = size_of::<libc::c_int>() as libc::socklen_t;
            // SAFETY: the descriptor is open as long as `self`, and the pointer is to a value of the
            // size that is given, which is only read.
            unsafe {
                libc::setsockopt(
                    self.0.as_raw_fd(),
                    level,
                    name,
                    std::ptr::from_ref(&value).cast(),
                    size,
                );
            }
        }
    }

    /// Duplicates the descriptor of a socket.
    fn duplicate(fd: RawFd) -> io::Result<TcpStream> {
        // SAFETY: the number was just read from the list of those that are open, and it is only
        // duplicated. Should another thread have closed it meanwhile, the system refuses, or what
        // is duplicated is another file, whose peer is asked for before anything is done with it.
        let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
        let owned: OwnedFd = borrowed.try_clone_to_owned()?;
        Ok(TcpStream::from(owned))
    }

    /// The open descriptors; empty if the system does not list them.
    fn open() -> Vec<RawFd> {
        let Ok(entries) = fs::read_dir(LIST) else {
            return Vec::new();
        };
        let names = entries.flatten().map(|entry| entry.file_name());
        let numbers = names.filter_map(|name| name.to_str()?.parse().ok());
        let mut all: Vec<RawFd> = numbers.filter(|fd| *fd >= 0).collect();
        // The descriptor of the listing itself is closed by now.
        all.retain(|fd| is_open(*fd));
        all
    }

    fn is_open(fd: RawFd) -> bool {
        // SAFETY: it only asks for the flags of the descriptor, which any number may be given to.
        unsafe { libc::fcntl(fd, libc::F_GETFD) != -1 }
    }

    #[cfg(test)]
    mod tests {
        use std::{io::Read, net::TcpListener};

        use super::*;

        #[test]
        fn a_socket_is_found_and_ended() {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            // Other tests of the process close descriptors, whose numbers then count as known.
            let found = (0..100).find_map(|_| {
                let known = Known::now();
                let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
                let (other, _) = listener.accept().unwrap();
                assert!(Socket::opened_since(&known, port ^ 1).is_none());
                let socket = Socket::opened_since(&known, port)?;
                Some((known, stream, other, socket))
            });
            let (known, mut stream, _other, socket) = found.unwrap();
            socket.keep_alive(Keepalives::default());
            assert!(Socket::opened_since(&Known::now(), port).is_none());
            socket.end();
            assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
            // Those whose numbers count as known stay open, so that the next one gets another.
            let connect = || TcpStream::connect(("127.0.0.1", port)).unwrap();
            let mut more = vec![connect()];
            while more
                .last()
                .is_some_and(|last| known.0.contains(&last.as_raw_fd()))
            {
                more.push(connect());
            }
            assert!(
                Socket::opened_since(&known, port).is_none(),
                "there are two"
            );
        }
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use crate::database::postgres::options::Keepalives;

    pub struct Known;

    impl Known {
        pub fn now() -> Self {
            Self
        }
    }

    /// A system that does not list open sockets provides none.
    pub enum Socket {}

    impl Socket {
        pub fn opened_since(_: &Known, _: u16) -> Option<Self> {
            None
        }

        pub fn end(&self) {
            match *self {}
        }

        pub fn keep_alive(&self, _: Keepalives) {
            match *self {}
        }
    }
}
