"""Makes users, groups, roles and policies with `iam`, waits for them, walks paginators, and takes on sessions with `sts`.

Prints what came as JSON. Argument: the URL of the registry.
"""
import json
import sys

import boto3
from botocore.exceptions import ClientError

iam, sts = boto3.client('iam'), boto3.client('sts')
account = sts.get_caller_identity()['Account']


def policy(**statement):
    return json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', **statement}]})


def walk(operation, member, **arguments):
    pages = list(iam.get_paginator(operation).paginate(PaginationConfig={'PageSize': 2}, **arguments))
    return {'pages': [len(page[member]) for page in pages], 'entries': [entry for page in pages for entry in page[member]]}


def refused(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        headers = error.response['ResponseMetadata']['HTTPHeaders']
        return {**error.response['Error'], 'Sealed': headers.get('x-ecru-authorization-message')}
    return None


for n in range(5):
    iam.create_user(UserName=f'user-{n}', Path='/boto3/', Tags=[{'Key': 'n', 'Value': str(n)}])
iam.get_waiter('user_exists').wait(UserName='user-4')
for n in range(3):
    iam.create_group(GroupName=f'group-{n}')
    iam.add_user_to_group(GroupName=f'group-{n}', UserName='user-0')
trust = policy(Action='sts:AssumeRole', Principal={'AWS': account})
for n in range(3):
    iam.create_role(RoleName=f'role-{n}', Path='/boto3/', AssumeRolePolicyDocument=trust)
iam.get_waiter('role_exists').wait(RoleName='role-2')
policies = [
    iam.create_policy(PolicyName=f'policy-{n}', PolicyDocument=policy(Action='ecr:Describe*', Resource='*'))['Policy']['Arn']
    for n in range(3)
]
iam.get_waiter('policy_exists').wait(PolicyArn=policies[2])
for arn in policies:
    iam.attach_role_policy(RoleName='role-0', PolicyArn=arn)
iam.put_user_policy(UserName='user-0', PolicyName='assume', PolicyDocument=policy(Action='sts:AssumeRole', Resource='*'))
key = iam.create_access_key(UserName='user-0')['AccessKey']


def session(credentials):
    return boto3.Session(
        aws_access_key_id=credentials['AccessKeyId'],
        aws_secret_access_key=credentials['SecretAccessKey'],
        aws_session_token=credentials.get('SessionToken'),
    )


user = session(key)
temporary = session(user.client('sts').get_session_token()['Credentials'])
role = session(user.client('sts').assume_role(
    RoleArn=f'arn:aws:iam::{account}:role/boto3/role-0', RoleSessionName='boto3', DurationSeconds=900,
)['Credentials'])
denied = refused(role.client('ecr').create_repository, repositoryName='denied')

print(json.dumps({
    'users': walk('list_users', 'Users', PathPrefix='/boto3/'),
    'groups': walk('list_groups_for_user', 'Groups', UserName='user-0'),
    'roles': walk('list_roles', 'Roles', PathPrefix='/boto3/'),
    'policies': walk('list_policies', 'Policies', Scope='Local'),
    'attached': walk('list_attached_role_policies', 'AttachedPolicies', RoleName='role-0'),
    'document': iam.get_role(RoleName='role-0')['Role']['AssumeRolePolicyDocument'],
    'asSession': temporary.client('sts').get_caller_identity()['Arn'],
    'sessionInIam': refused(temporary.client('iam').list_users),
    'asRole': role.client('sts').get_caller_identity()['Arn'],
    'described': role.client('ecr').describe_repositories()['repositories'],
    'denied': denied,
    'decoded': json.loads(sts.decode_authorization_message(EncodedMessage=denied['Sealed'])['DecodedMessage']),
    'missing': refused(iam.get_user, UserName='nobody'),
    'invalid': refused(iam.get_user, UserName='no blanks'),
}, default=lambda moment: moment.isoformat()))
