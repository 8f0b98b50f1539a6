//! QUIC settings: nothing in QUIC may shape, delay, enlarge or multiply what leaves.
//!
//! | setting | value | why |
//! |---|---|---|
//! | congestion window | unlimited | the rate is the shape's, constant and small; lost cells are lost |
//! | pacing | off (follows from the window) | the tick is the only pacer |
//! | MTU | 1,200 B, no discovery | a 1,120 B trunk cell fits; probes would be odd packets |
//! | acknowledgements | one for every [`ACK_EVERY`] packets | 2.4 kbit/s instead of 12 |
//! | keep-alive | none | cells keep it alive |
//! | idle time | 30 s | the driver itself notices silence, after 6 s without a cell |
//! | spin bit, ECN, tickets, new tokens | off | each would carry something across connections or time |

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quinn_proto::congestion::{Controller, ControllerFactory, ControllerMetrics};
use quinn_proto::{AckFrequencyConfig, IdleTimeout, TransportConfig, VarInt};

/// A peer acknowledges once it has received this many packets.
pub(crate) const ACK_EVERY: u32 = 10;
/// QUIC's own idle time. The driver notices silence much sooner; this is for what the driver missed.
const IDLE: Duration = Duration::from_secs(30);
/// Bytes of one HTTP/3 stream that may wait unread: settings and CONNECT are a few hundred.
const STREAM_WINDOW: u32 = 16 * 1024;

/// The transport settings of every connection.
pub(crate) fn config() -> Arc<TransportConfig> {
    let mut acks = AckFrequencyConfig::default();
    // "More than the threshold" triggers (draft-ietf-quic-ack-frequency section 4); no reaction to gaps.
    acks.ack_eliciting_threshold(VarInt::from_u32(ACK_EVERY - 1))
        .reordering_threshold(VarInt::from_u32(0));
    let mut config = TransportConfig::default();
    config
        .max_concurrent_bidi_streams(VarInt::from_u32(1))
        .max_concurrent_uni_streams(VarInt::from_u32(8))
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW))
        .receive_window(VarInt::from_u32(4 * STREAM_WINDOW))
        .send_window(u64::from(4 * STREAM_WINDOW))
        .max_idle_timeout(IdleTimeout::try_from(IDLE).ok())
        .mtu_discovery_config(None)
        .ack_frequency_config(Some(acks))
        .keep_alive_interval(None)
        .allow_spin(false)
        .datagram_receive_buffer_size(Some(16 * 1024))
        .datagram_send_buffer_size(4 * 1024)
        .enable_segmentation_offload(false)
        .congestion_controller_factory(Arc::new(Unshaped));
    Arc::new(config)
}

/// No congestion control; it only notes how far the peer's acknowledgements lag behind.
#[derive(Clone, Copy, Default)]
struct Lag {
    sent: u64,
    acked: Option<u64>,
}

/// Makes one [`Lag`] for each path.
struct Unshaped;

impl ControllerFactory for Unshaped {
    fn build(self: Arc<Self>, _now: Instant, _mtu: u16) -> Box<dyn Controller> {
        Box::<Lag>::default()
    }
}

/// Above u32::MAX there is no pacing in quinn-proto.
const WINDOW: u64 = 1 << 48;

impl Controller for Lag {
    fn on_sent(&mut self, _now: Instant, _bytes: u64, last_packet_number: u64) {
        self.sent = last_packet_number;
    }

    fn on_end_acks(
        &mut self,
        _now: Instant,
        _in_flight: u64,
        _limited: bool,
        largest: Option<u64>,
    ) {
        self.acked = largest.or(self.acked);
    }

    fn on_congestion_event(
        &mut self,
        _now: Instant,
        _sent: Instant,
        _persistent: bool,
        _lost: u64,
    ) {
    }

    fn on_mtu_update(&mut self, _mtu: u16) {}

    fn window(&self) -> u64 {
        WINDOW
    }

    /// `ssthresh` carries how far the next packet number is ahead of the largest acknowledged one: it
    /// decides the length of the packet number on the wire (RFC 9000 section 17.1).
    fn metrics(&self) -> ControllerMetrics {
        let mut metrics = ControllerMetrics::default();
        metrics.congestion_window = WINDOW;
        metrics.ssthresh = self.acked.map(|acked| (self.sent + 1).saturating_sub(acked));
        metrics
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(*self)
    }

    fn initial_window(&self) -> u64 {
        WINDOW
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
