//! One UDP socket with batched reading and writing (`recvmmsg`, `sendmmsg`), without QUIC.
//!
//! A system call a datagram would be the largest cost of an exchange; a batch of 64 makes it small.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::Arc;

use nix::errno::Errno;
use nix::sys::socket::{
    MsgFlags, MultiHeaders, SockaddrIn, SockaddrIn6, SockaddrStorage, recvmmsg, sendmmsg,
    setsockopt, sockopt,
};

use super::NetError;

/// Datagrams in one system call.
const BATCH: usize = 64;
/// Longest datagram that we read; longer ones are cut and then fail authentication.
const MAX_DATAGRAM: usize = 1_500;
/// Socket buffers: 40 ms of 4,000 lines.
const BUFFER: usize = 16 * 1024 * 1024;

/// A socket that several threads send on.
pub(crate) type Socket = Arc<UdpSocket>;

/// A non-blocking UDP socket and its batch buffers.
pub struct Batch {
    socket: Socket,
    inbound: Vec<u8>,
    heads: MultiHeaders<SockaddrStorage>,
    sending: Sending,
}

/// One thread's buffers for sending on a socket.
pub(crate) struct Sending {
    socket: Socket,
    heads: MultiHeaders<SockaddrStorage>,
}

impl Batch {
    /// Open a socket on `addr`; port 0 lets the system choose.
    pub fn bind(addr: SocketAddr) -> Result<Self, NetError> {
        let socket = UdpSocket::bind(addr).map_err(NetError::bind(addr))?;
        socket.set_nonblocking(true).map_err(NetError::os("make a socket non-blocking"))?;
        // As large as we may: beyond the system's limit only with CAP_NET_ADMIN. Smaller buffers lose
        // cells in bursts, nothing else, so a refusal is no error.
        if setsockopt(&socket, sockopt::RcvBufForce, &BUFFER).is_err() {
            let _ = setsockopt(&socket, sockopt::RcvBuf, &BUFFER);
        }
        if setsockopt(&socket, sockopt::SndBufForce, &BUFFER).is_err() {
            let _ = setsockopt(&socket, sockopt::SndBuf, &BUFFER);
        }
        let socket = Arc::new(socket);
        Ok(Self {
            sending: Sending::new(&socket),
            socket,
            inbound: vec![0; BATCH * MAX_DATAGRAM],
            heads: MultiHeaders::preallocate(BATCH, None),
        })
    }

    /// The socket, for another thread to send on.
    pub(crate) fn shared(&self) -> Socket {
        self.socket.clone()
    }

    /// The socket's own address.
    pub fn local_addr(&self) -> Result<SocketAddr, NetError> {
        self.socket.local_addr().map_err(NetError::os("tell a socket's address"))
    }

    /// Read one batch and give each datagram to `f`. Returns how many; fewer than 64 means that the
    /// socket is empty.
    pub fn receive(&mut self, mut f: impl FnMut(SocketAddr, &[u8])) -> Result<usize, NetError> {
        let mut slices: Vec<[IoSliceMut<'_>; 1]> = self
            .inbound
            .chunks_exact_mut(MAX_DATAGRAM)
            .map(|chunk| [IoSliceMut::new(chunk)])
            .collect();
        let fd = self.socket.as_raw_fd();
        let got =
            match recvmmsg(fd, &mut self.heads, slices.iter_mut(), MsgFlags::MSG_DONTWAIT, None) {
                Ok(got) => got,
                // Refused: an earlier datagram of ours met a closed port; UDP tells it here.
                Err(Errno::EAGAIN | Errno::EINTR | Errno::ECONNREFUSED) => return Ok(0),
                Err(e) => return Err(NetError::os("read from a socket")(io::Error::from(e))),
            };
        let mut count = 0;
        for message in got {
            count += 1;
            let from = message.address.as_ref().and_then(std_address);
            if let (Some(from), Some(bytes)) = (from, message.iovs().next()) {
                f(from, bytes);
            }
        }
        Ok(count)
    }

    /// Write `packets` in batches. Returns how many the system did not take: they are lost, as
    /// datagrams may be, for the next tick must not wait for them.
    pub fn send<'p>(&mut self, packets: impl Iterator<Item = (SocketAddr, &'p [u8])>) -> usize {
        self.sending.send(packets)
    }
}

impl Sending {
    /// Buffers for `socket`.
    pub(crate) fn new(socket: &Socket) -> Sending {
        Sending { socket: socket.clone(), heads: MultiHeaders::preallocate(BATCH, None) }
    }

    /// As [`Batch::send`].
    pub(crate) fn send<'p>(
        &mut self,
        mut packets: impl Iterator<Item = (SocketAddr, &'p [u8])>,
    ) -> usize {
        let mut lost = 0;
        let mut addresses = Vec::with_capacity(BATCH);
        let mut slices: Vec<[IoSlice<'_>; 1]> = Vec::with_capacity(BATCH);
        loop {
            addresses.clear();
            slices.clear();
            for (to, bytes) in packets.by_ref().take(BATCH) {
                addresses.push(Some(SockaddrStorage::from(to)));
                slices.push([IoSlice::new(bytes)]);
            }
            if slices.is_empty() {
                return lost;
            }
            let mut done = 0;
            while done < slices.len() {
                let fd = self.socket.as_raw_fd();
                let part = slices[done..].iter();
                let sent = sendmmsg(
                    fd,
                    &mut self.heads,
                    part,
                    &addresses[done..],
                    [],
                    MsgFlags::MSG_DONTWAIT,
                )
                .map(Iterator::count);
                match sent {
                    Ok(sent) => done += sent,
                    Err(Errno::EINTR) => {}
                    // One datagram's fault (no route, refused, too long) or a full socket: skip it.
                    Err(_) => {
                        lost += 1;
                        done += 1;
                    }
                }
            }
        }
    }
}

impl AsFd for Batch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn std_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|a: &SockaddrIn| SocketAddrV4::from(*a).into());
    v4.or_else(|| address.as_sockaddr_in6().map(|a: &SockaddrIn6| SocketAddrV6::from(*a).into()))
}
