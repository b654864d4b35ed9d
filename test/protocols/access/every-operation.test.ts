import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Digest } from '../../../src/domain/digest.ts'
import { isRegistryError } from '../../../src/domain/errors.ts'
import { parseRegion, parseRepositoryName } from '../../../src/domain/names.ts'
import { publicRegistry } from '../../../src/domain/public-registry.ts'
import type { OperationTable } from '../../../src/protocols/aws/operation-table.ts'
import { Addresses } from '../../../src/protocols/ecr/addresses.ts'
import { ecrService } from '../../../src/protocols/ecr/operations.ts'
import { ecrPublicService } from '../../../src/protocols/ecr-public/operations.ts'
import { PublicAddresses } from '../../../src/protocols/ecr-public/public-addresses.ts'
import { createUser, type StatementDocument, type TestUser } from '../../support/iam-user.ts'
import {
  admin,
  createServices,
  pushImage,
  pushLayer,
  refTo,
  registry,
  type Services,
} from '../../support/service-fixture.ts'
import { type OperationCase, PRIVATE_CASES, PUBLIC_CASES } from './operation-cases.ts'

const REGISTRY_ID = registry.registryId
const services: Services = await createServices({ access: {} })
const ref = refTo('app')
const publicRef = { registry: publicRegistry(REGISTRY_ID), name: parseRepositoryName('app') }
let user: TestUser
let digest: Digest
let layer: Digest

beforeAll(async () => {
  user = await createUser(services.metadata, REGISTRY_ID, 'ci')
  await services.repositories.create(admin, ref)
  await services.repositories.create(admin, publicRef)
  digest = await pushImage(services, ref, 'a', 'v1')
  layer = await pushLayer(services, ref, 'layer of a')
})
afterAll(() => services.close())

const ecr = { ...services, addresses: new Addresses(() => undefined) }
const publicAddresses = new PublicAddresses('public.ecr.aws')

/** What a call comes to: `denied` with the sentence, or anything else that the operation says. */
async function outcomeOf(table: OperationTable, region: string, name: string, input: object): Promise<string> {
  const operation = table.get(name)
  if (operation === undefined || operation === 'unsupported') throw new Error(`There is no operation ${name}`)
  const call = {
    principal: user.principal,
    region: parseRegion(region),
    requestId: '',
    origin: 'http://localhost:4566',
  }
  try {
    await operation(input, call)
    return 'done'
  } catch (thrown) {
    if (!isRegistryError(thrown)) throw thrown
    return thrown.code === 'access-denied' ? thrown.message : thrown.code
  }
}

const allow = (action: string, resource: string): StatementDocument => ({
  Effect: 'Allow',
  Action: action,
  Resource: resource,
})

const sentence = (action: string, resource: string) =>
  `User: arn:aws:iam::${REGISTRY_ID}:user/ci is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`

function everyOperation(
  title: string,
  table: OperationTable,
  region: string,
  cases: Readonly<Record<string, OperationCase>>,
) {
  describe(title, () => {
    const names = [...table].filter(([, operation]) => operation !== 'unsupported').map(([name]) => name)

    test('every operation has a case', () => expect(Object.keys(cases).toSorted()).toEqual(names.toSorted()))

    test.each(Object.entries(cases))(
      '%s is denied without its permission, and allowed with exactly it',
      async (name, of) => {
        const { permissions, input } = of({ digest, layer })
        const ask = () => outcomeOf(table, region, name, input)
        await user.may()
        const [first] = permissions
        if (first === undefined) throw new Error('An operation needs a permission')
        expect(await ask()).toBe(sentence(...first))
        // Each of them is needed.
        for (const missing of permissions) {
          const others = permissions.filter((permission) => permission !== missing)
          const elsewhere = missing[1] === '*' ? [] : [allow(missing[0], `${missing[1]}-other`)]
          await user.may(...others.map((one) => allow(...one)), ...elsewhere, {
            Effect: 'Allow',
            NotAction: missing[0],
            Resource: '*',
          })
          expect(await ask()).toBe(sentence(...missing))
        }
        await user.may(allow('*', '*'), { Effect: 'Deny', Action: first[0].toUpperCase(), Resource: first[1] })
        expect(await ask()).toEndWith(`on resource: ${first[1]} with an explicit deny in an identity-based policy`)
        await user.may(...permissions.map((permission) => allow(...permission)))
        expect(await ask()).not.toContain('not authorized')
      },
    )
  })
}

everyOperation('ECR', ecrService(ecr).operations, 'eu-west-3', PRIVATE_CASES)
everyOperation('ECR Public', ecrPublicService({ ...ecr, publicAddresses }).operations, 'us-east-1', PUBLIC_CASES)
