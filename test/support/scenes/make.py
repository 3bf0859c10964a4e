"""Renders one handheld clip of a known scene, and writes down the truth about it.

Run: /usr/bin/python3 test/support/scenes/make.py street --out clip.mp4 --truth clip.json [--width 960 --height 540 --fps 30
--from 0 --seconds 22]. The same arguments give the same pictures; the clip is what ffmpeg's libx264 makes of them.
"""
import argparse
import json
import subprocess

import cv2
import numpy as np

from geometry import WORLDS
from paths import PATHS
from raster import Camera, exposure

# Of the finest texture, per pixel of width: a texel is a pixel at 2.2 m.
TEXELS_PER_M = 0.35
# Half the field of view across is 32.5°: the main camera of a phone, cropped a little for video.
FOCAL_PER_WIDTH = 0.785
# Sub-frames lie at most so far apart in the picture, px; the lens's own blur bridges that.
SUBFRAME_PX = 1.6
MOST_SUBFRAMES = 14
# Of a signal of 1: what a phone's small sensor shows indoors, variance = SHOT · signal + READ².
SHOT, READ = 1.6e-4, 2.5e-3
LENS_SIGMA_PX = 0.55
# Angular speeds, rad/s: of points by the camera's translation; of the camera itself.
PARALLAX_RAD_S, TURN_RAD_S, PAN_RAD_S = 0.05, 0.15, 0.6

to_linear = ((np.arange(256) / 255) ** 2.2).astype(np.float32)
to_code = (np.linspace(0, 1, 4096) ** (1 / 2.2) * 255).astype(np.float32)


def grid(camera):
    x, y = np.meshgrid(np.linspace(0, camera.width - 1, 13), np.linspace(0, camera.height - 1, 9))
    return np.stack([x.ravel(), y.ravel(), np.ones(x.size)])


def moved(camera, nearest, start, end):
    """Displacement of the picture's points between two poses, given depths halfway: px, median."""
    pixels = grid(camera)
    inverse = np.maximum(nearest[pixels[1].astype(int), pixels[0].astype(int)], 1e-3)
    rays = np.linalg.inv(camera.matrix) @ pixels / inverse
    world = start[0].T @ (rays - start[1][:, None])
    seen = camera.matrix @ (end[0] @ world + end[1][:, None])
    ahead = seen[2] > 0
    return float(np.median(np.hypot(*(seen[:2] / seen[2] - pixels[:2]))[ahead])) if ahead.any() else 0.0


def label(path, at, depth):
    """What the camera does around a time, by the path that was meant: hands tremble on the spot as well."""
    half = 0.15
    before, after = path.meant(max(0, at - half)), path.meant(min(path.seconds, at + half))
    translation = np.linalg.norm(after[:3] - before[:3]) / (2 * half) / depth
    turn = np.deg2rad(np.linalg.norm(after[3:] - before[3:])) / (2 * half)
    if translation >= PARALLAX_RAD_S:
        return 'parallax'
    return 'pan' if turn >= PAN_RAD_S else 'rotation' if turn >= TURN_RAD_S else 'pause'


class Sensor:
    def __init__(self, seed, camera):
        self.rng = np.random.default_rng(seed)
        self.size = (camera.height, camera.width)
        # One sheet of noise, of which each picture takes another part, mirrored by chance.
        self.sheet = self.rng.standard_normal((camera.height * 2, camera.width * 2, 3)).astype(np.float32)

    def read(self, light, gain):
        """uint8 of linear light [rows, columns, 3] at a gain."""
        light = cv2.GaussianBlur(light, (0, 0), LENS_SIGMA_PX) * gain
        y, x = self.rng.integers(0, self.size)
        noise = self.sheet[y : y + self.size[0], x : x + self.size[1]] * self.rng.choice([-1.0, 1.0])
        signal = np.clip(light + noise * np.sqrt(SHOT * gain * light + (READ * gain) ** 2), 0, 1)
        return np.round(to_code[(signal * 4095).astype(np.uint16)]).astype(np.uint8)


def photograph(world, camera, path, at):
    """(linear light, inverse depths, median blur in px) of one frame, the shutter open around `at`."""
    opens, closes = (path.pose(at + sign * path.shutter_s / 2) for sign in (-1, 1))
    picture, nearest = exposure(world, camera, *path.pose(at))
    blur_px = moved(camera, nearest, opens, closes)
    count = int(np.clip(np.ceil(blur_px / SUBFRAME_PX), 1, MOST_SUBFRAMES)) | 1
    light = cv2.LUT(picture, to_linear)
    for k in range(count):
        if k == count // 2:
            continue
        moment = at + path.shutter_s * ((k + 0.5) / count - 0.5)
        light += cv2.LUT(exposure(world, camera, *path.pose(moment))[0], to_linear)
    return light / count, nearest, blur_px


def encoder(out, camera, fps):
    source = ['-f', 'rawvideo', '-pix_fmt', 'bgr24', '-s', f'{camera.width}x{camera.height}', '-r', str(fps), '-i', '-']
    # One thread: the bits do not depend on the machine.
    codec = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '22', '-g', '60', '-threads', '1', '-pix_fmt', 'yuv420p']
    return subprocess.Popen(['ffmpeg', '-v', 'error', '-y', *source, *codec, '-f', 'mp4', out], stdin=subprocess.PIPE)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('path', choices=PATHS)
    parser.add_argument('--out', required=True)
    parser.add_argument('--truth', required=True)
    parser.add_argument('--width', type=int, default=960)
    parser.add_argument('--height', type=int, default=540)
    parser.add_argument('--fps', type=float, default=30)
    parser.add_argument('--from', type=float, default=0, dest='start')
    parser.add_argument('--seconds', type=float, default=22)
    parser.add_argument('--seed', type=int, default=1)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    camera = Camera(args.width, args.height, FOCAL_PER_WIDTH * args.width)
    make_path, world_name = PATHS[args.path]
    path = make_path(args.seed)
    world = WORLDS[world_name](args.seed, TEXELS_PER_M * args.width)
    sensor, video, frames = Sensor(args.seed, camera), encoder(args.out, camera, args.fps), []
    for index in range(int(min(args.seconds, path.seconds - args.start) * args.fps)):
        at = args.start + index / args.fps
        light, nearest, blur_px = photograph(world, camera, path, at)
        video.stdin.write(sensor.read(light, 2 ** path.stops(at)).tobytes())
        rotation, translation = path.pose(at)
        depth = 1 / max(1e-3, float(np.median(nearest)))
        frames.append({
            'ptsMs': round(1000 * index / args.fps, 3),
            'rotation': np.round(rotation, 8).ravel().tolist(),
            'translation': np.round(translation, 6).tolist(),
            'label': label(path, at, depth),
            'blurPx': round(blur_px, 2),
            'depthM': round(depth, 2),
        })
    video.stdin.close()
    if video.wait() != 0:
        raise SystemExit('ffmpeg could not encode the clip')
    intrinsics = {'width': args.width, 'height': args.height, 'focalPx': camera.focal_px, 'cx': camera.centre[0], 'cy': camera.centre[1]}
    with open(args.truth, 'w') as file:
        json.dump({'path': args.path, 'fps': args.fps, 'intrinsics': intrinsics, 'frames': frames}, file)


if __name__ == '__main__':
    main()
