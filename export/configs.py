"""The model's metadata as the files that transformers, Optimum and transformers.js read."""

from dataclasses import asdict

from deepfake_detect.face.crop import RESAMPLING
from deepfake_detect.model.onnx_model import Metadata


def model_config(metadata: Metadata) -> dict:
    """config.json: labels and size for transformers, and for people what its pipelines leave out."""
    return {
        "architectures": ["MobileNetV2ForImageClassification"],
        "model_type": "mobilenet_v2",
        "problem_type": "single_label_classification",  # softmax over both logits
        "image_size": metadata.size,
        "num_channels": 3,
        "id2label": {str(number): label for number, label in enumerate(metadata.labels)},
        "label2id": {label: number for number, label in enumerate(metadata.labels)},
        "mobile_deepfake_detector": {
            "contract": metadata.contract,
            "crop_margin": metadata.crop_margin,
            "temperature": metadata.temperature,
            "unsure_band": list(metadata.unsure_band),
            "looks": asdict(metadata.looks),  # whose logits are averaged
            **({"kinds": metadata.kinds} if metadata.kinds else {}),  # what the second output's numbers stand for
        },
    }


def preprocessor_config(metadata: Metadata) -> dict:
    """preprocessor_config.json: a face crop is resized to S x S and divided by 255, nothing else."""
    side = {"height": metadata.size, "width": metadata.size}
    return {
        "image_processor_type": "MobileNetV2ImageProcessor",
        "do_convert_rgb": True,
        "do_resize": True,
        "size": side,
        "resample": int(RESAMPLING[metadata.resampling]),  # Pillow's numbers, in transformers.js too
        "do_center_crop": False,
        "crop_size": side,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": False,  # whatever the backbone expects beyond that is inside the graph
    }
