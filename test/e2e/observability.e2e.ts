import { afterAll, beforeAll, describe, expect } from 'bun:test'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { client, testWith } from '../support/clients/client-test.ts'
import { attempt, run } from '../support/clients/run-command.ts'
import { openStage, type Stage } from '../support/clients/stage.ts'
import { push, wire } from '../support/clients/wire.ts'
import { buildImage } from '../support/image-builder.ts'

const testProm = testWith('promtool')
const testOtlp = testWith('python-with-otlp')
const TIMEOUT_MS = 60_000

/** Reads requests of OTLP in JSON as a collector does: by the messages of the protocol, unknown members refused. */
const READER = `
import base64, json, sys
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
spans = []
for line in sys.stdin:
    document = json.loads(line)
    # OTLP has ids in hexadecimal digits, where JSON of Protocol Buffers has base64.
    for resource in document['resourceSpans']:
        for scope in resource['scopeSpans']:
            for span in scope['spans']:
                for name in ('traceId', 'spanId', 'parentSpanId'):
                    if name in span:
                        span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
    request = json_format.ParseDict(document, ExportTraceServiceRequest())
    for resource in request.resource_spans:
        service = {a.key: a.value.string_value for a in resource.resource.attributes}['service.name']
        for scope in resource.scope_spans:
            for span in scope.spans:
                assert len(span.trace_id) == 16 and len(span.span_id) == 8, span
                assert 0 < span.start_time_unix_nano <= span.end_time_unix_nano, span
                spans.append([service, span.name, span.kind, span.trace_id.hex()])
print(json.dumps(spans))
`

describe('what is watched of a registry', () => {
  let directory: string
  let stage: Stage
  let collector: ReturnType<typeof Bun.serve>
  let requests: string[]

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ecru-observed-'))
    requests = []
    collector = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: async (request) => {
        requests.push(JSON.stringify(await request.json()))
        return Response.json({})
      },
    })
    const endpoint = `http://127.0.0.1:${collector.port}`
    stage = await openStage({ env: { ECRU_OTLP_ENDPOINT: endpoint, ECRU_OTLP_SAMPLE: '1' }, repositories: ['app'] })
    await push(stage, 'app', buildImage('watched'), 'v1')
    await wire(stage, 'app/manifests/v1', {
      headers: { traceparent: `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01` },
    })
  }, TIMEOUT_MS)
  afterAll(async () => {
    await stage.close()
    await collector.stop(true)
    await rm(directory, { recursive: true, force: true })
  }, TIMEOUT_MS)

  testProm('Prometheus reads the metrics and has nothing to say against them', async () => {
    const page = await (await fetch(`${stage.url}/metrics`)).text()
    expect(page).toContain('ecru_image_pushes_total{')
    const { exitCode, stdout, stderr } = await attempt([client('promtool'), 'check', 'metrics'], { input: page })
    expect([exitCode, stdout, stderr]).toEqual([0, '', ''])
  })

  testProm('Prometheus reads the alert rules, and each query of the dashboard', async () => {
    const check = (file: string) => run([client('promtool'), 'check', 'rules', file])
    expect(await check('deploy/prometheus/ecru-alerts.yaml')).toContain('SUCCESS: ')
    const dashboard = await readFile('deploy/grafana/ecru.json', 'utf8')
    const queries = [...dashboard.matchAll(/"expr": ("(?:[^"\\]|\\.)*")/g)].map(([, text = '""']) =>
      String(JSON.parse(text)).replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.*'),
    )
    expect(queries.length).toBeGreaterThan(20)
    const rules = queries.map((expr, index) => ({ record: `dashboard:query_${index}`, expr }))
    const file = join(directory, 'dashboard.yaml')
    // JSON is YAML.
    await writeFile(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }))
    expect(await check(file)).toContain(`SUCCESS: ${queries.length} rules found`)
  })

  testProm('alerts go off when they should, and not before', async () => {
    const series = (text: string, values: string) => ({ series: text, values })
    const tests = [
      {
        interval: '1m',
        input_series: [
          series('ecru_queue_depth{instance="a",queue="events"}', '3x60'),
          series('ecru_event_deliveries_total{instance="a",outcome="failed"}', '0+1x60'),
          series('ecru_queue_depth{instance="b",queue="events"}', '3x60'),
          series('ecru_event_deliveries_total{instance="b",outcome="failed"}', '7x60'),
          series('ecru_disk_free_bytes{instance="a"}', '50x60'),
          series('ecru_disk_size_bytes{instance="a"}', '1000x60'),
          series('ecru_quota_used_ratio{instance="a",quota="imagesPerRepository"}', '0.95x60'),
        ],
        alert_rule_test: [
          ['EcruEventsWait', '50m', [{ instance: 'a', queue: 'events', severity: 'warning' }]],
          ['EcruEventsWait', '20m', []],
          ['EcruDiskFillsUp', '30m', [{ instance: 'a', severity: 'warning' }]],
          ['EcruQuotaNear', '30m', [{ instance: 'a', quota: 'imagesPerRepository', severity: 'warning' }]],
          ['EcruServerErrors', '30m', []],
        ].map(([alertname, eval_time, labels]) => ({
          alertname,
          eval_time,
          exp_alerts: (labels as object[]).map((exp_labels) => ({ exp_labels })),
        })),
      },
    ]
    const file = join(directory, 'alerts-test.yaml')
    // What alerts say is not compared here: the rules are given without it.
    const text = await readFile('deploy/prometheus/ecru-alerts.yaml', 'utf8')
    const rules = join(directory, 'alerts.yaml')
    await writeFile(rules, text.replaceAll(/^ +annotations:\n +summary: .*\n/gm, ''))
    await writeFile(file, JSON.stringify({ rule_files: [rules], evaluation_interval: '1m', tests }))
    const { exitCode, stdout, stderr } = await attempt([client('promtool'), 'test', 'rules', file])
    expect([exitCode, stdout + stderr]).toEqual([0, expect.stringContaining('SUCCESS')])
  })

  testOtlp('traces are requests of OTLP, and those of callers are continued', async () => {
    for (const startedMs = performance.now(); !requests.join('').includes('ab'.repeat(16)); await Bun.sleep(50))
      if (performance.now() - startedMs > 30_000) throw new Error('no spans came')
    const printed = await run([client('python-with-otlp'), '-c', READER], { input: `${requests.join('\n')}\n` })
    const spans = JSON.parse(printed) as [service: string, name: string, kind: number, trace: string][]
    expect(new Set(spans.map(([service]) => service))).toEqual(new Set(['ecru']))
    expect(new Set(spans.map(([, , kind]) => kind))).toEqual(new Set([2]))
    const names = spans.map(([, name]) => name)
    for (const name of ['PUT manifests', 'PUT uploads', 'GET manifests', 'CreateRepository'])
      expect(names, names.join(', ')).toContain(name)
    expect(spans.find(([, , , trace]) => trace === 'ab'.repeat(16))?.[1]).toBe('GET manifests')
  })
})
