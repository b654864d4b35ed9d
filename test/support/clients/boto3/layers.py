"""Pushes an image through the layer API alone, by hand, and prints what each call answered as JSON.

Arguments: the repository, and a file of noise that becomes the layer. The endpoint and keys come from the environment.
"""
import gzip
import hashlib
import io
import json
import sys
import tarfile
import urllib.error
import urllib.parse
import urllib.request

import boto3
from botocore.exceptions import ClientError

ecr = boto3.client('ecr')
repository, noise_file = sys.argv[1:]
PART = 5 * 1024 * 1024


def sha256(data):
    return 'sha256:' + hashlib.sha256(data).hexdigest()


def refused(call, **arguments):
    """Calls what must fail; answers the code, the message and any member beside them."""
    try:
        call(repositoryName=repository, **arguments)
    except ClientError as error:
        extra = {key: value for key, value in error.response.items() if key not in ('Error', 'ResponseMetadata', 'message', 'Message')}
        return {**error.response['Error'], **extra}
    return None


def upload(data, parts):
    started = ecr.initiate_layer_upload(repositoryName=repository)
    for first in range(0, len(data), parts):
        part = data[first:first + parts]
        answer = ecr.upload_layer_part(
            repositoryName=repository, uploadId=started['uploadId'],
            partFirstByte=first, partLastByte=first + len(part) - 1, layerPartBlob=part)
        assert answer['lastByteReceived'] == first + len(part) - 1, answer
    return started['uploadId'], ecr.complete_layer_upload(
        repositoryName=repository, uploadId=started['uploadId'], layerDigests=[sha256(data)])


def fetch(url):
    try:
        with urllib.request.urlopen(url) as answer:
            return {'status': answer.status, 'digest': sha256(answer.read())}
    except urllib.error.HTTPError as error:
        return {'status': error.code}


archive = io.BytesIO()
with tarfile.open(fileobj=archive, mode='w') as tar:
    tar.add(noise_file, arcname='data/noise')
layer = gzip.compress(archive.getvalue(), mtime=0)
config = json.dumps({
    'architecture': 'amd64', 'os': 'linux', 'config': {},
    'rootfs': {'type': 'layers', 'diff_ids': [sha256(archive.getvalue())]},
}).encode()

before = ecr.batch_check_layer_availability(
    repositoryName=repository, layerDigests=[sha256(layer), 'sha256:nonsense', ''])
part_size = ecr.initiate_layer_upload(repositoryName=repository)['partSize']
upload_id, completed = upload(layer, PART)
upload(config, PART)
after = ecr.batch_check_layer_availability(repositoryName=repository, layerDigests=[sha256(layer)])
without_image = refused(ecr.get_download_url_for_layer, layerDigest=sha256(layer))

descriptor = lambda kind, data: {'mediaType': f'application/vnd.oci.image.{kind}', 'digest': sha256(data), 'size': len(data)}
manifest = json.dumps({
    'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.manifest.v1+json',
    'config': descriptor('config.v1+json', config), 'layers': [descriptor('layer.v1.tar+gzip', layer)],
}, indent=3)
put = ecr.put_image(repositoryName=repository, imageManifest=manifest, imageTag='by-hand')
download = ecr.get_download_url_for_layer(repositoryName=repository, layerDigest=sha256(layer))

url = urllib.parse.urlsplit(download['downloadUrl'])
query = dict(urllib.parse.parse_qsl(url.query))


def changed(**values):
    altered = {key: values.get(key, value) for key, value in query.items()}
    return urllib.parse.urlunsplit(url._replace(query=urllib.parse.urlencode(altered)))


# Every value of the URL that is altered, and the path, must spoil the signature.
forged = [fetch(changed(**{key: ('9' if value[:1] != '9' else '8') + value[1:]})) for key, value in query.items()]
other_digest = url.path.replace(sha256(layer).split(':')[1], sha256(config).split(':')[1])
forged.append(fetch(urllib.parse.urlunsplit(url._replace(path=other_digest, query=url.query.replace(sha256(layer).split(':')[1], sha256(config).split(':')[1])))))
forged.append(fetch(urllib.parse.urlunsplit(url._replace(query=''))))

open_upload = ecr.initiate_layer_upload(repositoryName=repository)['uploadId']
gap = refused(ecr.upload_layer_part, uploadId=open_upload, partFirstByte=5, partLastByte=9, layerPartBlob=b'12345')
empty = refused(ecr.complete_layer_upload, uploadId=open_upload, layerDigests=[sha256(b'')])
ecr.upload_layer_part(repositoryName=repository, uploadId=open_upload, partFirstByte=0, partLastByte=4, layerPartBlob=b'12345')
mismatch = refused(ecr.complete_layer_upload, uploadId=open_upload, layerDigests=[sha256(b'other')])
unknown = refused(ecr.complete_layer_upload, uploadId='00000000-0000-4000-8000-000000000000', layerDigests=[sha256(b'')])

again = ecr.initiate_layer_upload(repositoryName=repository)['uploadId']
ecr.upload_layer_part(repositoryName=repository, uploadId=again, partFirstByte=0, partLastByte=len(config) - 1, layerPartBlob=config)
exists = refused(ecr.complete_layer_upload, uploadId=again, layerDigests=[sha256(config)])

small = ecr.initiate_layer_upload(repositoryName=repository)['uploadId']


def too_small(**ignored):
    for first in (0, 10, 20):
        ecr.upload_layer_part(
            repositoryName=repository, uploadId=small, partFirstByte=first, partLastByte=first + 9, layerPartBlob=b'0123456789')
    ecr.complete_layer_upload(repositoryName=repository, uploadId=small, layerDigests=[sha256(b'0123456789' * 3)])


print(json.dumps({
    'layer': sha256(layer), 'manifestDigest': sha256(manifest.encode()), 'partSize': part_size, 'url': download['downloadUrl'],
    'before': {'layers': before['layers'], 'failures': before['failures']}, 'after': after['layers'],
    'completed': {'digest': completed['layerDigest'], 'sameUpload': completed['uploadId'] == upload_id},
    'withoutImage': without_image, 'put': put['image']['imageId'], 'manifestKept': put['image']['imageManifest'] == manifest,
    'download': fetch(download['downloadUrl']), 'forged': forged, 'gap': gap, 'empty': empty, 'mismatch': mismatch,
    'unknown': unknown, 'exists': exists, 'tooSmall': refused(too_small),
}))
