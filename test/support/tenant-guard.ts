/**
 * Invariant 7 as a plugin: a statement over a table of tenants is refused unless it is bound to a tenant, by a value or
 * through a join with a bound table. An `or` binds nothing. Installed with `openRegistry({ plugins: [tenantGuard()] })`.
 */
import {
  AliasNode,
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  DeleteQueryNode,
  FunctionNode,
  IdentifierNode,
  InsertQueryNode,
  OperatorNode,
  ParensNode,
  PrimitiveValueListNode,
  RawNode,
  ReferenceNode,
  SelectQueryNode,
  TableNode,
  UpdateQueryNode,
  ValueNode,
  type KyselyPlugin,
  type OperationNode,
} from 'kysely';
import type { Tables } from '../../src/registry/schema';

const GLOBAL_TABLES: readonly (keyof Tables)[] = ['tenants', 'envelope_keys'];
const TENANT_TABLES: readonly (keyof Tables)[] = [
  'principals',
  'api_keys',
  'oauth_clients',
  'integrations',
  'providers',
  'connections',
  'consent_links',
  'waiters',
  'connection_events',
  'grant_fingerprints',
  'role_grants',
  'components',
  'component_versions',
  'client_secrets',
  'flows',
  'flow_versions',
  'flow_components',
  'flow_connections',
  'outbox',
  'idempotency_keys',
];

/**
 * Reads that find out the tenant, by something unguessable; what is every tenant's by its nature (a global component, its
 * versions, the clients made for it); sweeps of housekeeping over all tenants.
 */
const EXCEPTIONS: readonly {
  readonly table: keyof Tables;
  readonly column?: string;
  readonly value?: string;
  readonly function?: string;
}[] = [
  { table: 'api_keys', column: 'prefix' },
  { table: 'consent_links', column: 'token_hash' },
  { table: 'connections', function: 'least' },
  { table: 'role_grants', column: 'principal' },
  { table: 'components', column: 'access' },
  { table: 'component_versions', column: 'component' },
  { table: 'oauth_clients', column: 'component' },
  { table: 'integrations', column: 'status', value: 'deleting' },
  { table: 'client_secrets', column: 'retired_at' },
  { table: 'outbox', column: 'due_at' },
];

/** By the column that names them. */
const GUESTS: ReadonlyMap<string, string> = new Map([
  ['components', 'component'],
  ['principals', 'principal'],
]);

export const guardedTables = { tenant: TENANT_TABLES, global: GLOBAL_TABLES };

export class TenantMissing extends Error {
  constructor(tables: readonly string[]) {
    super(`A statement over ${tables.join(', ')} is not bound to a tenant`);
    this.name = 'DurableOAuthError';
  }
  /** Lets it pass the registry's own mapping unchanged. */
  readonly code = 'INTERNAL';
}

export function tenantGuard(): KyselyPlugin {
  return {
    transformQuery: ({ node }) => {
      inspect(node, new Set());
      return node;
    },
    transformResult: ({ result }) => Promise.resolve(result),
  };
}

/** @param outside names that are bound in the statements around this one */
function inspect(node: OperationNode, outside: ReadonlySet<string>): void {
  const tenantTable = (name: string): boolean => TENANT_TABLES.some((table) => table === name);
  let bound = outside;
  if (RawNode.is(node)) {
    const named = TENANT_TABLES.filter((table) => new RegExp(`\\b${table}\\b`, 'i').test(node.sqlFragments.join(' ')));
    if (named.length > 0) throw new TenantMissing(named);
  } else if (InsertQueryNode.is(node)) {
    const table = node.into?.table.identifier.name ?? '';
    const columns = (node.columns ?? []).map(({ column }) => column.name);
    if (tenantTable(table) && !columns.includes('tenant')) throw new TenantMissing([table]);
  } else if (SelectQueryNode.is(node) || UpdateQueryNode.is(node) || DeleteQueryNode.is(node)) {
    const sources = sourcesOf(node);
    bound = boundNames(conditionsOf(node), sources, outside);
    const free = [...sources].filter(([name, table]) => tenantTable(table) && !bound.has(name));
    if (free.length > 0) throw new TenantMissing(free.map(([, table]) => table));
  } else if (node.kind === 'MergeQueryNode') {
    throw new TenantMissing(['a MERGE']);
  }
  for (const child of childrenOf(node)) inspect(child, bound);
}

type Query = SelectQueryNode | UpdateQueryNode | DeleteQueryNode;

/** Names in this statement (aliases) and the tables behind them. */
function sourcesOf(node: Query): ReadonlyMap<string, string> {
  const tables = [
    ...(UpdateQueryNode.is(node) && node.table ? [node.table] : []),
    ...(node.from?.froms ?? []),
    ...(DeleteQueryNode.is(node) ? (node.using?.tables ?? []) : []),
    ...(node.joins ?? []).map(({ table }) => table),
  ];
  return new Map(
    tables.flatMap((table): [string, string][] => {
      if (TableNode.is(table)) return [[table.table.identifier.name, table.table.identifier.name]];
      if (!AliasNode.is(table) || !TableNode.is(table.node) || !IdentifierNode.is(table.alias)) return [];
      return [[table.alias.name, table.node.table.identifier.name]];
    }),
  );
}

function conditionsOf(node: Query): BinaryOperationNode[] {
  const flat = (condition: OperationNode): BinaryOperationNode[] => {
    if (ParensNode.is(condition)) return flat(condition.node);
    if (AndNode.is(condition)) return [...flat(condition.left), ...flat(condition.right)];
    return BinaryOperationNode.is(condition) ? [condition] : [];
  };
  const joined = (node.joins ?? []).flatMap(({ on }) => (on ? flat(on.on) : []));
  return [...(node.where ? flat(node.where.where) : []), ...joined];
}

function boundNames(
  conditions: readonly BinaryOperationNode[],
  sources: ReadonlyMap<string, string>,
  outside: ReadonlySet<string>,
): ReadonlySet<string> {
  const bound = new Set([...outside].filter((name) => !sources.has(name)));
  const only = sources.size === 1 ? [...sources.keys()][0] : undefined;
  /** The name whose column this is. */
  const ownerOf = (node: OperationNode, column: string): string | undefined =>
    ReferenceNode.is(node) && ColumnNode.is(node.column) && node.column.column.name === column
      ? (node.table?.table.identifier.name ?? only)
      : undefined;

  for (const { leftOperand, rightOperand, operator } of conditions) {
    if (!OperatorNode.is(operator) || !['=', 'in'].includes(operator.operator)) continue;
    const owner = ownerOf(leftOperand, 'tenant');
    if (owner && (ValueNode.is(rightOperand) || PrimitiveValueListNode.is(rightOperand))) bound.add(owner);
  }
  for (const [name, table] of sources) {
    const excepted = EXCEPTIONS.some(
      (exception) =>
        exception.table === table &&
        conditions.some(({ leftOperand, rightOperand }) =>
          exception.column === undefined
            ? FunctionNode.is(leftOperand) && leftOperand.func === exception.function
            : ownerOf(leftOperand, exception.column) === name &&
              (exception.value === undefined || (ValueNode.is(rightOperand) && rightOperand.value === exception.value)),
        ),
    );
    if (excepted) bound.add(name);
  }
  // A join hands the tenant on; as often as there are names, so that the order of the joins does not matter.
  for (let round = 0; round < sources.size; round++) {
    for (const { leftOperand, rightOperand } of conditions) {
      const [left, right] = [ownerOf(leftOperand, 'tenant'), ownerOf(rightOperand, 'tenant')];
      if (left === undefined || right === undefined) continue;
      if (bound.has(left)) bound.add(right);
      if (bound.has(right)) bound.add(left);
    }
    // What need not be at home where it is named: a row of the tenant that names it may see it.
    for (const { leftOperand, rightOperand } of conditions) {
      const guest = ownerOf(leftOperand, 'id') ?? '';
      const namedBy = GUESTS.get(sources.get(guest) ?? '');
      const named = namedBy && ownerOf(rightOperand, namedBy);
      if (named && bound.has(named)) bound.add(guest);
    }
  }
  return bound;
}

function childrenOf(node: OperationNode): OperationNode[] {
  return Object.values(node)
    .flatMap((value: unknown) => (Array.isArray(value) ? value : [value]) as unknown[])
    .filter(isNode);
}

function isNode(value: unknown): value is OperationNode {
  return typeof value === 'object' && value !== null && 'kind' in value && typeof value.kind === 'string';
}
