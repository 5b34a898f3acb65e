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
 * Rows or columns, each resized by itself.
 * @param {number} lines how many; pixel `n` of line `l` begins at data[l * line + n * step]
 * @param {(line: number, target: number) => number} place where a target pixel begins in the result
 */
function pass(data, result, lines, line, step, channels, kernels, place) {
  for (let l = 0; l < lines; l++)
    kernels.forEach(([first, kernel], target) => {
      for (let channel = 0; channel < channels; channel++) {
        let sum = PRECISION / 2;
        for (let n = 0; n < kernel.length; n++) sum += data[l * line + (first + n) * step + channel] * kernel[n];
        result[place(l, target) + channel] = Math.floor(sum / PRECISION);
      }
    });
  return result;
}

/**
 * A picture resized to a square.
 * @param {RawImage} image of transformers.js, 1 to 4 channels, 8 bits
 * @param {number} side of the result in pixels
 * @returns {RawImage} a new picture
 */
export function resize(image, side) {
  let { data, width, height } = image;
  const { channels } = image;
  const across = () => {
    const result = new Uint8ClampedArray(side * height * channels);
    const place = (row, x) => (row * side + x) * channels;
    data = pass(data, result, height, width * channels, channels, channels, weights(width, side), place);
    width = side;
  };
  const down = () => {
    const result = new Uint8ClampedArray(width * side * channels);
    const place = (column, y) => (y * width + column) * channels;
    data = pass(data, result, width, channels, width * channels, channels, weights(height, side), place);
    height = side;
  };
  // Each pass rounds to 8 bits, so their order counts. Pillow's Image.resize has an exception for very tall pictures.
  const order = height > width * 100 && height > side ? [down, across] : [across, down];
  order.forEach((resizeOneSide) => resizeOneSide());
  return new image.constructor(data, side, side, channels);
}
