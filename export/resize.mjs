// A face crop -> the model's side, for transformers.js, with the filter that the model was trained with.
//
// transformers.js leaves resizing to the browser's canvas or, in Node.js, to an affine map that does not smooth before
// it shrinks; the detector reacts to such details. This is Pillow's bilinear filter with its arithmetic (8-bit pictures,
// src/libImaging/Resample.c). The processor leaves alone what already has its size.

const PRECISION = 2 ** 22; // of Pillow's fixed-point weights

/**
 * Weights of the source pixels for each of `to` target pixels along one side.
 * @returns {[number, number[]][]} the first source pixel and the weights from there on, which add up to PRECISION
 */
function weights(from, to) {
  const scale = from / to;
  const reach = Math.max(scale, 1); // the triangle is as wide as what it shrinks: antialiasing
  return Array.from({ length: to }, (_, target) => {
    const center = (target + 0.5) * scale;
    const first = Math.max(Math.trunc(center - reach + 0.5), 0);
    const last = Math.min(Math.trunc(center + reach + 0.5), from);
    const raw = Array.from({ length: last - first }, (_, n) =>
      Math.max(0, 1 - Math.abs((first + n - center + 0.5) / reach)),
    );
    const sum = raw.reduce((a, b) => a + b, 0);
    return [first, raw.map((weight) => Math.trunc((weight / sum) * PRECISION + 0.5))];
  });
}

/**
 * A picture resized to a square.
 * @param {RawImage} image of transformers.js, 1 to 4 channels, 8 bits
 * @param {number} side of the result in pixels
 * @returns {RawImage} a new picture
 */
export function resize(image, side) {
  const { width, height, channels } = image;
  const pass = (data, count, line, step, kernels, put) => {
    for (let row = 0; row < count; row++)
      for (let target = 0; target < side; target++) {
        const [first, kernel] = kernels[target];
        for (let channel = 0; channel < channels; channel++) {
          let sum = PRECISION / 2;
          for (let n = 0; n < kernel.length; n++) sum += data[row * line + (first + n) * step + channel] * kernel[n];
          put(row, target, channel, Math.floor(sum / PRECISION));
        }
      }
  };
  const narrow = new Uint8ClampedArray(side * height * channels);
  pass(image.data, height, width * channels, channels, weights(width, side), (row, x, channel, value) => {
    narrow[(row * side + x) * channels + channel] = value;
  });
  const square = new Uint8ClampedArray(side * side * channels);
  pass(narrow, side, channels, side * channels, weights(height, side), (column, y, channel, value) => {
    square[(y * side + column) * channels + channel] = value;
  });
  return new image.constructor(square, side, side, channels);
}
