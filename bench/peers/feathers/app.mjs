// The original's stack, as the generator of Feathers 5 creates an application for Koa, SQLite and JWTs: a JWT authenticates
// the caller, who is looked up among the users; queries are validated; results pass through resolvers.
//
//   node app.mjs PORT DATABASE_FILE [--lean]      prints a valid token
//
// --lean only compares the token with a string and omits everything else except HTTP, the service and SQL.
import { AuthenticationService, JWTStrategy, authenticate } from '@feathersjs/authentication'
import { NotAuthenticated, NotFound } from '@feathersjs/errors'
import { feathers } from '@feathersjs/feathers'
import { KnexService } from '@feathersjs/knex'
import { bodyParser, cors, errorHandler, koa, parseAuthentication, rest } from '@feathersjs/koa'
import { Ajv, hooks, resolve } from '@feathersjs/schema'
import { Type, getValidator, querySyntax } from '@feathersjs/typebox'
import { randomBytes } from 'node:crypto'
import knex from 'knex'

const [port, filename, mode] = process.argv.slice(2)
const lean = mode === '--lean'

const deployments = knex({
  client: 'better-sqlite3',
  connection: { filename, options: { readonly: true } },
  useNullAsDefault: true
})

async function findPattern(context) {
  const { pattern, ...query } = context.params.query
  if (pattern !== undefined) {
    const found = await deployments('patterns').where({ name: pattern }).first('id')
    if (!found) throw new NotFound(`A pattern with the name '${pattern}' does not exist!`)
    query.pattern_id = found.id
  }
  context.params.query = { ...query, $sort: { id: 1 } }
}

const deploymentSchema = Type.Object(
  { id: Type.Integer(), pattern_id: Type.Integer(), name: Type.String() },
  { $id: 'Deployment', additionalProperties: false }
)
const deploymentQuerySchema = Type.Intersect([
  querySyntax(deploymentSchema),
  Type.Object({ pattern: Type.Optional(Type.String()) })
])
const validateQuery = getValidator(deploymentQuerySchema, new Ajv({ coerceTypes: true }))

const app = koa(feathers())
app.use(cors())
app.use(errorHandler())
app.use(parseAuthentication())
app.use(bodyParser())
app.configure(rest())
app.use('api/v1/deployments', new KnexService({ Model: deployments, name: 'deployments' }), { methods: ['find', 'get'] })
const service = app.service('api/v1/deployments')

let token
if (lean) {
  token = randomBytes(32).toString('base64url')
  const compare = async (context) => {
    if (context.params.headers?.authorization !== `Bearer ${token}`) throw new NotAuthenticated('Not authenticated')
  }
  service.hooks({ before: { all: [compare], find: [findPattern] } })
} else {
  token = await authenticating()
  service.hooks({
    around: {
      all: [authenticate('jwt'), hooks.resolveExternal(resolve({})), hooks.resolveResult(resolve({}))]
    },
    before: {
      all: [hooks.validateQuery(validateQuery), hooks.resolveQuery(resolve({}))],
      find: [findPattern]
    }
  })
}

// Users of its own, since the store has none; a user and the token for it.
async function authenticating() {
  const users = knex({ client: 'better-sqlite3', connection: { filename: ':memory:' }, useNullAsDefault: true })
  await users.schema.createTable('users', (table) => {
    table.increments('id')
    table.string('email').unique()
    table.string('password')
  })
  app.use('users', new KnexService({ Model: users, name: 'users' }), { methods: ['find', 'get', 'create'] })
  const user = await app.service('users').create({ email: 'bench@example.com', password: 'hashed' })
  app.set('authentication', {
    entity: 'user',
    service: 'users',
    secret: randomBytes(32).toString('base64'),
    authStrategies: ['jwt'],
    jwtOptions: { audience: 'https://example.com', algorithm: 'HS256', expiresIn: '1d' }
  })
  const authentication = new AuthenticationService(app)
  authentication.register('jwt', new JWTStrategy())
  app.use('authentication', authentication)
  return authentication.createAccessToken({ sub: String(user.id) })
}

const server = await app.listen(Number(port), '127.0.0.1')
server.keepAliveTimeout = 3_600_000
server.headersTimeout = 3_601_000
console.log(token)
