"""Makes images with esptool and imgtool, and asks both about files, many at a time.

make FOLDER       one ESP image for each chip
esp FOLDER        {"name": error or null} of every NAME.CHIP.bin that esptool reads
mcuboot FOLDER    the same of every *.bin that imgtool verifies with key.pem
"""

import contextlib
import io
import json
import pathlib
import sys


def make(folder):
    from esptool import bin_image

    chips = {
        "esp32": (bin_image.ESP32FirmwareImage, 0x3F400020, 0x40080000),
        "esp32s2": (bin_image.ESP32S2FirmwareImage, 0x3F000020, 0x40024000),
        "esp32s3": (bin_image.ESP32S3FirmwareImage, 0x3C000020, 0x40378000),
        "esp32c3": (bin_image.ESP32C3FirmwareImage, 0x3C000020, 0x40380000),
        "esp32c2": (bin_image.ESP32C2FirmwareImage, 0x3C000020, 0x40380000),
        "esp32c6": (bin_image.ESP32C6FirmwareImage, 0x42000020, 0x40800000),
        "esp32h2": (bin_image.ESP32H2FirmwareImage, 0x42000020, 0x40800000),
        "esp32p4": (bin_image.ESP32P4FirmwareImage, 0x40000020, 0x4FF00000),
    }
    for chip, (image_class, flash, ram) in chips.items():
        image = image_class()
        image.entrypoint = ram + 8
        image.segments = [
            bin_image.ELFSection(b".rodata", flash, bytes(i * 7 % 251 for i in range(900)), 2),
            bin_image.ELFSection(b".text", ram, bytes(i * 5 % 241 for i in range(600)), 6),
        ]
        image.save(str(folder / f"app.{chip}.bin"))
    old = bin_image.ESP8266ROMFirmwareImage()
    old.entrypoint = 0x40100004
    old.segments = [bin_image.ELFSection(b".text", 0x40100000, bytes(range(240)), 6)]
    old.save(str(folder / "app"))
    (folder / "app0x00000.bin").rename(folder / "app.esp8266.bin")


def ask_esptool(path):
    from esptool import bin_image

    chip = path.name.split(".")[-2]
    with contextlib.redirect_stdout(io.StringIO()):
        image = bin_image.LoadFirmwareImage(chip, str(path))
    if image.checksum != image.calculate_checksum():
        return "checksum"
    if getattr(image, "append_digest", False) and image.stored_digest != image.calc_digest:
        return "digest"
    return None


def ask_imgtool(path):
    from imgtool import image, keys

    key = keys.load(str(path.parent / "key.pem"))
    result = image.Image.verify(str(path), key)[0]
    return None if result == image.VerifyResult.OK else result.name


def ask_all(folder, ask):
    answers = {}
    for path in sorted(folder.glob("*.bin")):
        try:
            answers[path.name] = ask(path)
        except BaseException as error:  # noqa: BLE001 - a tool that crashes refuses too
            answers[path.name] = f"{type(error).__name__}: {error}"
    print(json.dumps(answers))


folder = pathlib.Path(sys.argv[2])
if sys.argv[1] == "make":
    make(folder)
else:
    ask_all(folder, ask_esptool if sys.argv[1] == "esp" else ask_imgtool)
