"""Fills a public registry by the API alone, walks every paginator of `ecr-public`, and prints what came as JSON.

Argument: the size of a page.
"""
import hashlib
import json
import sys

import boto3

ecr = boto3.client('ecr-public')
size = int(sys.argv[1])
OCI = 'application/vnd.oci.image'


def upload(repository, data):
    digest = 'sha256:' + hashlib.sha256(data).hexdigest()
    upload_id = ecr.initiate_layer_upload(repositoryName=repository)['uploadId']
    ecr.upload_layer_part(
        repositoryName=repository, uploadId=upload_id, partFirstByte=0, partLastByte=len(data) - 1, layerPartBlob=data)
    ecr.complete_layer_upload(repositoryName=repository, uploadId=upload_id, layerDigests=[digest])
    return {'digest': digest, 'size': len(data)}


def walk(operation, member, **arguments):
    pages = list(ecr.get_paginator(operation).paginate(PaginationConfig={'PageSize': size}, **arguments))
    return {'pages': [len(page[member]) for page in pages], 'entries': [entry for page in pages for entry in page[member]]}


for n in range(3):
    ecr.create_repository(repositoryName=f'py/public-{n}')
for n in range(3):
    config = {'mediaType': f'{OCI}.config.v1+json', **upload('py/public-0', json.dumps({'n': n}).encode())}
    layer = {'mediaType': f'{OCI}.layer.v1.tar', **upload('py/public-0', b'layer %d' % n)}
    manifest = {'schemaVersion': 2, 'mediaType': f'{OCI}.manifest.v1+json', 'config': config, 'layers': [layer]}
    ecr.put_image(repositoryName='py/public-0', imageTag=f't{n}', imageManifest=json.dumps(manifest))

print(json.dumps({
    'repositories': walk('describe_repositories', 'repositories'),
    'registries': walk('describe_registries', 'registries'),
    'tags': walk('describe_image_tags', 'imageTagDetails', repositoryName='py/public-0'),
    'described': walk('describe_images', 'imageDetails', repositoryName='py/public-0'),
}, default=lambda moment: moment.isoformat()))
