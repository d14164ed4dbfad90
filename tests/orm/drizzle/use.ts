// Writes and reads rows through the models.
import assert from "node:assert/strict";
import { EDIT } from "./src/edit";

const url = process.env.DATABASE_URL!;
const isPostgres = process.env.BACKEND === "postgres";

async function open(): Promise<[any, any]> {
  if (isPostgres) {
    const { drizzle } = await import("drizzle-orm/node-postgres");
    return [drizzle(url), await import("./src/schema.postgres")];
  }
  const { drizzle } = await import("drizzle-orm/libsql");
  return [drizzle(`file:${url.replace("sqlite:", "")}`), await import("./src/schema.sqlite")];
}

const [db, models] = await open();
const { customers, products, orders, lines, invoices, employees } = models;
const [customer] = await db.insert(customers).values({ name: `Customer ${EDIT}`, email: `${EDIT}@example.org` }).returning();
const [product] = await db.insert(products).values({ price: 10 }).returning();
const [order] = await db.insert(orders).values({ customerId: customer.id, ...(EDIT >= 2 ? { note: "n" } : {}) }).returning();
await db.insert(lines).values({ orderId: order.id, productId: product.id });
if (invoices) await db.insert(invoices).values({ orderId: order.id });
if (employees) await db.insert(employees).values({});

// Earlier rows are still there.
const found = await db.select().from(customers).orderBy(customers.id);
assert.deepEqual(found.map((one: any) => one.email), Array.from({ length: EDIT }, (_, n) => `${n + 1}@example.org`));
assert.equal(found[0].name, "Customer 1");
assert.ok(found.every((one: any) => one.createdAt));
if (EDIT >= 2) assert.deepEqual(found.at(-1).data, { a: "100%;" });
assert.equal(product.title, "a;\n'b");
if (EDIT >= 3) assert.equal(Number(product.double), 20);
const notes = new Set((await db.select().from(orders)).map((one: any) => one.note));
if (EDIT >= 10) assert.deepEqual(notes, new Set(["none", "n"]));
process.exit(0);
