// deployd as it is installed, with a few deployments, for as long as a test program runs.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const program = process.env.DEPLOYD_PROGRAM

export const deployments = [
  { id: 1, pattern_id: 1, name: 'API' },
  { id: 2, pattern_id: 1, name: 'Database' },
  { id: 3, pattern_id: 2, name: 'Git & "ü€"' }
]

const data = {
  patterns: [
    { id: 1, name: 'CORE_DV_HLS' },
    { id: 2, name: 'a b+c&d=ü' },
    { id: 3, name: 'EMPTY' }
  ],
  deployments
}

/** A certificate for localhost and 127.0.0.1, made now, which is its own authority. */
function makeCertificate (directory) {
  const [certificate, key] = ['certificate.pem', 'key.pem'].map(name => join(directory, name))
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1',
    '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', certificate],
  { stdio: 'ignore' })
  return { certificate, key }
}

/**
 * Starts the server with this data; resolves to its address, a token for it, the certificate with `https`, a function
 * that runs other commands on its store, and one that ends it.
 */
export async function start ({ https = false, input = JSON.stringify(data) } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'deployd-clients-'))
  const database = 'sqlite:' + join(directory, 'deployd.db')
  const command = (...words) => execFileSync(program, [...words, '--database', database]).toString()
  execFileSync(program, ['import', '--database', database, '-'], { input })
  const token = command('token', 'create', '--name', 'clients').trim()
  const { certificate, key } = https ? makeCertificate(directory) : {}
  const tls = https ? ['--tls-cert', certificate, '--tls-key', key] : []
  const server = spawn(program, ['serve', '--database', database, '--listen', '127.0.0.1:0', ...tls], {
    stdio: ['ignore', 'ignore', 'pipe']
  })
  const ended = new Promise(resolve => server.once('exit', resolve))
  const listening = new Promise((resolve, reject) => {
    let all = ''
    createInterface({ input: server.stderr }).on('line', line => {
      all += line + '\n'
      const found = /listening on (127\.0\.0\.1:\d+)/.exec(line)
      if (found) resolve(found[1])
    })
    server.once('exit', () => reject(new Error('deployd has ended: ' + all)))
  })
  const stop = async () => {
    server.kill('SIGTERM')
    const status = await ended
    rmSync(directory, { recursive: true })
    return status
  }
  return { url: (https ? 'https://' : 'http://') + await listening, token, certificate, command, stop }
}
