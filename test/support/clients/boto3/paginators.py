"""Walks every paginator over a registry that the test has filled, and prints what came as JSON.

Arguments: the repository, and the size of a page.
"""
import json
import sys

import boto3

ecr = boto3.client('ecr')
repository, size = sys.argv[1], int(sys.argv[2])


def walk(operation, member, **arguments):
    pages = list(ecr.get_paginator(operation).paginate(PaginationConfig={'PageSize': size}, **arguments))
    return {'pages': [len(page[member]) for page in pages], 'entries': [entry for page in pages for entry in page[member]]}


print(json.dumps({
    'account': boto3.client('sts').get_caller_identity()['Account'],
    'repositories': walk('describe_repositories', 'repositories'),
    'listed': walk('list_images', 'imageIds', repositoryName=repository),
    'tagged': walk('list_images', 'imageIds', repositoryName=repository, filter={'tagStatus': 'TAGGED'}),
    'described': walk('describe_images', 'imageDetails', repositoryName=repository),
}, default=lambda moment: moment.isoformat()))
