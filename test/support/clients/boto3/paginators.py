"""Walks every paginator of `ecr` over a registry that the test has filled, and prints what came as JSON.

Findings of scans are walked by scanning.e2e.ts; `ecr-public` is walked by public_paginators.py.

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

ecr.start_lifecycle_policy_preview(repositoryName=repository, lifecyclePolicyText=json.dumps({'rules': [{
    'rulePriority': 1,
    'selection': {'tagStatus': 'any', 'countType': 'imageCountMoreThan', 'countNumber': 1},
    'action': {'type': 'expire'},
}]}))
ecr.get_waiter('lifecycle_policy_preview_complete').wait(repositoryName=repository)
for n in range(4):
    ecr.create_repository_creation_template(prefix=f'py-{n}', appliedFor=['CREATE_ON_PUSH'])

print(json.dumps({
    'account': boto3.client('sts').get_caller_identity()['Account'],
    'repositories': walk('describe_repositories', 'repositories'),
    'listed': walk('list_images', 'imageIds', repositoryName=repository),
    'tagged': walk('list_images', 'imageIds', repositoryName=repository, filter={'tagStatus': 'TAGGED'}),
    'described': walk('describe_images', 'imageDetails', repositoryName=repository),
    'previewed': walk('get_lifecycle_policy_preview', 'previewResults', repositoryName=repository),
    'templates': walk('describe_repository_creation_templates', 'repositoryCreationTemplates'),
}, default=lambda moment: moment.isoformat()))
