package tributary.servers;

import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.bson.Document;
import io.netty.channel.Channel;
import java.util.List;

/** A MongoDB-wire server in memory; the arguments are its port and its address. It ends with its process. */
public final class Mongo {
    private Mongo() {}

    /** The newest the server knows is 5.0 with an old wire version, which drivers of today refuse to speak to. */
    private static final MongoVersion ANNOUNCED = new MongoVersion() {
        @Override
        public List<Integer> getVersionArray() {
            return List.of(6, 0, 0);
        }

        @Override
        public int getWireVersion() {
            return 17;
        }
    };

    /** The server answers the command by its name of before MongoDB 5.0 alone. */
    private static final class Backend extends MemoryBackend {
        @Override
        public Document handleCommand(Channel channel, String database, String command, Document query) {
            return super.handleCommand(channel, database, command.equals("hello") ? "isMaster" : command, query);
        }
    }

    public static void main(String[] args) {
        new MongoServer(new Backend().version(ANNOUNCED)).bind(args[1], Integer.parseInt(args[0]));
    }
}
