//! Reads a QR code from the camera: frames on a canvas, read in Rust, so that it works in every browser alike.
//!
//! ```text
//!  camera ─► video ─► canvas, at most 1,024 wide ─► grey ─► rqrr ─► text       five times a second
//! ```

use wasm_bindgen::prelude::*;
use web_sys::{
    CanvasRenderingContext2d, HtmlCanvasElement, HtmlVideoElement, MediaStream, MediaStreamTrack,
};

use crate::browser::{ask, document, get, object, window};

const EVERY_MS: i32 = 200;
const WIDEST: u32 = 1024;

/// A camera that looks; dropped, it is closed.
pub struct Camera {
    stream: MediaStream,
    interval: i32,
    // The browser calls it as long as the interval runs.
    _look: Closure<dyn FnMut()>,
}

impl Camera {
    /// Opens the camera behind `video`, and tells each code that it reads.
    ///
    /// # Errors
    /// The camera is refused or missing.
    pub async fn open(
        video: HtmlVideoElement,
        mut read: impl FnMut(String) + 'static,
    ) -> Result<Camera, JsValue> {
        let media = get(&window().navigator(), "mediaDevices");
        let wanted = object(&[
            ("facingMode", "environment".into()),
            ("width", object(&[("ideal", 1280.into())])),
        ]);
        let stream: MediaStream =
            ask(&media, "getUserMedia", &[object(&[("video", wanted)])]).await?.unchecked_into();
        video.set_src_object(Some(&stream));
        // A video that does not play shows no code; the other ways stay.
        let _ = video.play();
        let canvas: HtmlCanvasElement = document().create_element("canvas")?.unchecked_into();
        let options = object(&[("willReadFrequently", true.into())]);
        let context = canvas
            .get_context_with_context_options("2d", &options)?
            .ok_or_else(|| JsValue::from("no canvas"))?
            .unchecked_into::<CanvasRenderingContext2d>();
        let look = Closure::<dyn FnMut()>::new(move || {
            if let Some(text) = frame(&video, &canvas, &context) {
                read(text);
            }
        });
        let interval = window().set_interval_with_callback_and_timeout_and_arguments_0(
            look.as_ref().unchecked_ref(),
            EVERY_MS,
        )?;
        Ok(Camera { stream, interval, _look: look })
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        window().clear_interval_with_handle(self.interval);
        for track in self.stream.get_tracks() {
            track.unchecked_into::<MediaStreamTrack>().stop();
        }
    }
}

fn frame(
    video: &HtmlVideoElement,
    canvas: &HtmlCanvasElement,
    context: &CanvasRenderingContext2d,
) -> Option<String> {
    let (wide, high) = (video.video_width(), video.video_height());
    if wide == 0 || high == 0 {
        return None;
    }
    let (w, h) = if wide > WIDEST { (WIDEST, high * WIDEST / wide) } else { (wide, high) };
    canvas.set_width(w);
    canvas.set_height(h);
    context
        .draw_image_with_html_video_element_and_dw_and_dh(video, 0.0, 0.0, w.into(), h.into())
        .ok()?;
    let data = context.get_image_data(0.0, 0.0, w.into(), h.into()).ok()?.data();
    read(w as usize, h as usize, &data.0)
}

/// The first code in a picture of red, green, blue and alpha.
#[must_use]
pub fn read(width: usize, height: usize, rgba: &[u8]) -> Option<String> {
    if rgba.len() < width * height * 4 {
        return None;
    }
    let grey = |x: usize, y: usize| {
        let at = (y * width + x) * 4;
        let [r, g, b] = [rgba[at], rgba[at + 1], rgba[at + 2]].map(u32::from);
        // At most 255: the weights add up to 256.
        ((77 * r + 150 * g + 29 * b) >> 8) as u8
    };
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width, height, grey);
    picture.detect_grids().into_iter().find_map(|grid| grid.decode().ok()).map(|(_, text)| text)
}
